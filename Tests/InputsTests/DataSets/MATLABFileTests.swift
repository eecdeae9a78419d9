import Foundation
import Foundations
import TestSupport
import Testing

@testable import Inputs

/// MAT-files that are cut or damaged give an error with a place, within bounds of time and memory.
@Suite struct MATLABFileTests {
    private func level5() throws -> [[UInt8]] {
        let devkit = try DataSetFixtures.contents("ILSVRC2012_devkit_t12.tar.gz", "ILSVRC2012_devkit_t12/data/meta.mat")
        let plain = try DataSetFixtures.contents("trainval.tar.gz", "trainval/2007_000039.mat")
        return [devkit, plain]
    }

    private static let wanted: Set = ["synsets", "LabelMap"]

    @Test func cutFilesOfLevel5AreRefused() throws {
        for bytes in try level5() {
            for length in 0..<bytes.count where length != 128 {
                let variables = try? MATLAB5File(
                    Array(bytes[..<length]), path: "cut", wanted: Self.wanted, limit: 1 << 20
                ).variables
                // A cut between variables leaves a file of fewer variables.
                #expect(variables?.isEmpty ?? true || length > bytes.count / 2, "\(length) of \(bytes.count) bytes")
            }
        }
    }

    @Test func errorsHaveAPlace() throws {
        let bytes = try level5()[1]
        func place(_ change: (inout [UInt8]) -> Void) -> String? {
            var changed = bytes
            change(&changed)
            guard
                case .malformedFile("m", let place, _)? = inputError({
                    try MATLAB5File(changed, path: "m", wanted: Self.wanted, limit: 1 << 20)
                })
            else { return nil }
            return place
        }
        #expect(place { $0 = [] } == "byte 0")
        #expect(place { $0[126] = 0 } == "byte 126")
        #expect(place { $0[125] = 2 } == "byte 124")
        #expect(place { $0[128] = 99 } == "byte 128")
        #expect(place { $0[135] = 0x7F } == "byte 128", "a size beyond the end")
        // The dimensions claim more than there is.
        #expect(place { $0[163] = 0x7F } == "byte 184")
    }

    @Test func streamsMayNotGrowBeyondTheLimit() throws {
        let bytes = try level5()[0]
        #expect(
            dataSetError { try MATLAB5File(bytes, path: "m", wanted: Self.wanted, limit: 100) }
                == .tooLarge(path: "m", place: "byte 128", bytes: 101, limit: 100))
    }

    @Test(.timeLimit(.minutes(1))) func mutationsOfLevel5NeverTrap() throws {
        var random = SplitMix64(seed: 5)
        var accepted = 0
        for bytes in try level5() {
            for _ in 0..<800 {
                let changed = mutated(bytes, from: 100, &random)
                if (try? MATLAB5File(changed, path: "m", wanted: Self.wanted, limit: 1 << 20)) != nil { accepted += 1 }
            }
        }
        #expect(accepted > 0, "some changes, as of a name, leave the file valid")
    }

    @Test(.timeLimit(.minutes(1))) func mutationsOfLevel73NeverTrap() throws {
        let bytes = [UInt8](try Data(contentsOf: DataSetFixtures.url("gtsegs_ijcv.mat")))
        let folder = try TemporaryFolder()
        var random = SplitMix64(seed: 73)
        var accepted = 0
        for _ in 0..<300 {
            // Structures stand among many zeros and pictures: changes are drawn to them.
            let file = try folder.file("m.mat", Data(mutated(bytes, from: 512, &random, count: 8, avoidsZeros: true)))
            guard let set = try? ImageNetSegmentation(file) else { continue }
            accepted += 1
            for index in 0..<set.count {
                _ = try? set.picture(index)
                _ = try? set.mask(index)
            }
        }
        #expect(accepted > 0)
    }

    @Test func cutFilesOfLevel73AreRefused() throws {
        let bytes = try Data(contentsOf: DataSetFixtures.url("gtsegs_ijcv.mat"))
        let folder = try TemporaryFolder()
        for length in stride(from: 0, to: bytes.count, by: 97) {
            let file = try folder.file("m.mat", bytes.prefix(length))
            let read = Result { () throws -> Int in
                let set = try ImageNetSegmentation(file)
                return try (0..<set.count).reduce(0) {
                    try $0 + set.mask($1).width + (DataSetFixtures.checksum(set.picture($1)) > 0 ? 1 : 0)
                }
            }
            #expect(throws: (any Error).self, "\(length) of \(bytes.count) bytes") { _ = try read.get() }
        }
    }

    @Test func filesThatAreNoHDF5AreNamed() throws {
        let folder = try TemporaryFolder()
        let missing = folder.url.appendingPathComponent("absent.mat")
        guard case .missingFile(missing.path, _)? = inputError({ try ImageNetSegmentation(missing) }) else {
            Issue.record("not reported as missing")
            return
        }
        let text = try folder.file("text.mat", "no file of MATLAB")
        #expect(
            inputError { try ImageNetSegmentation(text) }
                == .malformedFile(path: text.path, place: "byte 512", expected: "the signature of an HDF5 file"))
        #expect(inputError { try ImageNetSegmentation(folder.url) } != nil, "a folder")
    }
}

/// A copy of `bytes` with a few changes from `first` on.
func mutated(
    _ bytes: [UInt8], from first: Int = 0, _ random: inout SplitMix64, count: Int = 3, avoidsZeros: Bool = false
) -> [UInt8] {
    var changed = bytes
    for _ in 0...random.below(count) {
        var place = first + random.below(bytes.count - first)
        if avoidsZeros {
            while changed[place] == 0 { place = first + random.below(bytes.count - first) }
        }
        switch random.below(4) {
        case 0: changed[place] = UInt8(random.below(256))
        case 1: changed[place] ^= 1 << random.below(8)
        case 2: changed[place] = [0, 1, 0x7F, 0xFF][random.below(4)]
        default: changed.swapAt(place, first + random.below(bytes.count - first))
        }
    }
    // Now and then the end is missing, or a piece comes twice.
    switch random.below(8) {
    case 0: changed.removeLast(random.below(changed.count / 4))
    case 1:
        let start = first + random.below(changed.count - first)
        changed.insert(contentsOf: changed[start..<min(start + 20, changed.count)], at: start)
    default: break
    }
    return changed
}
