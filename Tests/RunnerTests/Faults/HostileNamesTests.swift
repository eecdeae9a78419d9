import Foundation
import Foundations
import TestSupport
import Testing

/// Names of files and classes that mean something to a spreadsheet, a browser, a shell or a terminal.
@Suite struct HostileNamesTests {
    static let classes = ["=cmd|' -C calc'!A0", "<img src=x onerror=alert(1)>"]
    static let pictures = ["@SUM(1+1)*cmd.png", "-2+3,\"x\".png", "\u{202E}gnp.txt.png", "$(touch hit) `id` & ;.png"]

    /// The fields of a CSV file of RFC 4180.
    static func fields(_ text: String) -> [[String]] {
        var (rows, row, field, isQuoted) = ([[String]](), [String](), "", false)
        var rest = text.unicodeScalars.makeIterator()
        var next = rest.next()
        while let scalar = next {
            next = rest.next()
            switch (scalar, isQuoted) {
            case ("\"", true) where next == "\"":
                field.unicodeScalars.append("\"")
                next = rest.next()
            case ("\"", _): isQuoted.toggle()
            case (",", false): (row, field) = (row + [field], "")
            case ("\r", false): continue
            case ("\n", false): (rows, row, field) = (rows + [row + [field]], [], "")
            default: field.unicodeScalars.append(scalar)
            }
        }
        return rows
    }

    @Test func namesAreNeutralInTheTables() throws {
        let study = try PictureStudy()
        let plain = try OwnPictures.classFolders()
        var files: [String: Data] = [:]
        for (index, data) in plain.sorted(by: { $0.key < $1.key }).map(\.value).enumerated() {
            files["\(Self.classes[index / 2])/\(Self.pictures[index])"] = data
        }
        try OwnPictures.write(files, to: study.data.appendingPathComponent("hostile"))
        try study.writeMeanAblation(evaluation: "{dataset: class-folders, path: $DATA/hostile}")
        let output = try study.run()
        #expect(output.status == 0, "\(output.errors)")

        let csv = try String(
            contentsOf: study.results.appendingPathComponent("mean-ablation-predictions.csv"), encoding: .utf8)
        let rows = Self.fields(csv)
        let header = try #require(rows.first)
        #expect(rows.count > 4 && rows.allSatisfy { $0.count == header.count })
        for row in rows {
            for field in row {
                let number = Double(field) != nil
                #expect(number || !"=+-@".contains(field.first ?? "x"), "a spreadsheet would run \(field)")
            }
        }
        // Everything is there, literally, but for what would hide or turn it.
        let (image, label) = (
            try #require(header.firstIndex(of: "image")), try #require(header.firstIndex(of: "label"))
        )
        for name in Self.pictures { #expect(rows.contains { $0[image].contains(name.visible) }, "\(name)") }
        for name in Self.classes { #expect(rows.contains { $0[label].hasSuffix(name) }, "\(name)") }
        #expect(!FileManager.default.fileExists(atPath: RunnerProcess.repository.appendingPathComponent("hit").path))
    }
}
