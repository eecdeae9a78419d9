import Foundation
import Testing

@testable import Safetensors

/// Agreement with the reference library; `Fixtures/README.md` says how its answers were made.
@Suite struct ReferenceTests {
    /// Files that the reference library accepts and this one refuses: a name that stands twice in a
    /// header leaves open which of the two counts.
    private static let stricter: Set<String> = ["duplicate-metadata", "duplicate-tensor"]

    private static let verdicts: [String: String] = {
        let data = (try? Data(contentsOf: fixture("verdicts.json"))) ?? Data()
        return (try? JSONDecoder().decode([String: String].self, from: data)) ?? [:]
    }()

    @Test func everyCaseHasAVerdict() throws {
        let cases = try FileManager.default.contentsOfDirectory(atPath: fixture("cases").path)
        #expect(Set(cases) == Set(Self.verdicts.keys.map { $0 + ".safetensors" }))
        #expect(cases.count > 40)
    }

    @Test(arguments: verdicts.keys.sorted())
    func theVerdictIsThatOfTheReference(name: String) throws {
        let url = fixture("cases/\(name).safetensors")
        if Self.verdicts[name] == "accepted" && !Self.stricter.contains(name) {
            #expect(throws: Never.self) { try SafetensorsFile(contentsOf: url) }
        } else {
            let error = #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(contentsOf: url)
            }
            guard case .malformed(url.path, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func tensorsAreReadAsTheReferenceWroteThem() throws {
        let file = try SafetensorsFile(contentsOf: fixture("reference.safetensors"))
        #expect(file.metadata == ["format": "pt", "note": "é"])
        #expect(file.tensors.count == 8)
        let weights = try #require(file.tensors["weights.f32"])
        #expect(weights.type == .float32 && weights.shape == [2, 3])
        #expect(weights.byteRange.count == 24)
        let floats = try file.floats("weights.f32")
        #expect(floats == [1.5, 0, Float(bitPattern: 1), .infinity, -1 / 3, 3e38])
        #expect(floats[1].sign == .minus)
        #expect(try file.floats("half.f16") == [1, 0.33325195, 65504, 5.9604645e-08, -.infinity])
        #expect(try file.doubles("double.f64") == [.pi, 1e-300])
        #expect(try file.int32s("ids.i64") == [0, 76, -1])
        #expect(try file.int32s("ids.i32") == [.max, .min])
        #expect(try file.uint8s("bytes.u8") == [0, 255])
        #expect(try file.uint8s("mask.bool") == [1, 0, 1])
        #expect(try file.floats("none.f32") == [])
        #expect(try file.withBytes("bytes.u8") { Array($0) } == [0, 255])
    }
}

func fixture(_ name: String) -> URL {
    Bundle.module.resourceURL?.appendingPathComponent("Fixtures").appendingPathComponent(name)
        ?? URL(fileURLWithPath: "/missing")
}
