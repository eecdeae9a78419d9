import Foundation
import Foundations
import Pipeline
import Results
import TestSupport
import Testing

/// Files beside the rows.
@Suite struct AttachmentTests {
    @Test func aListBecomesCSVWithoutFormulas() throws {
        let folder = try TemporaryFolder()
        let attachment = Attachment(
            "neurons.csv",
            .list(
                header: ["neuron", "share", "phrases", "=header"],
                rows: [
                    [.integer(-3), .number(-0.25), .text("+dog; −cat"), .text("=HYPERLINK(\"x\")")],
                    [.integer(0), .number(.nan), .text("a, b"), .text("")],
                ]))
        let stored = try CSVExport.write(attachment, to: OutputFolder(folder.url), as: attachment.name)
        #expect(stored.name == "neurons.csv" && stored.file == "neurons.csv")
        #expect(try stored.sha256 == Digest.sha256(of: Data(contentsOf: folder.file("neurons.csv"))))
        #expect(
            try String(contentsOf: folder.file("neurons.csv"), encoding: .utf8) == """
                neuron,share,phrases,'=header\r
                -3,-0.25,'+dog; −cat,"'=HYPERLINK(""x"")"\r
                0,,"a, b",\r

                """)
        #expect(try folder.names() == ["neurons.csv"])
    }

    @Test func bytesAreWrittenAsTheyAreOverAFormerFile() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("scenes.png")
        try Data("a longer file from before".utf8).write(to: url)
        let bytes = Data([0x89, 0x50, 0, 0xFF, 0x0D, 0x0A])
        #expect(
            try CSVExport.write(
                Attachment("scenes.png", .bytes(bytes)), to: OutputFolder(url.deletingLastPathComponent()),
                as: url.lastPathComponent
            ).sha256 == Digest.sha256(of: bytes))
        #expect(try Data(contentsOf: url) == bytes)
        #expect(try folder.names() == ["scenes.png"])
    }

    @Test func aFolderThatIsMissingIsAnError() throws {
        let folder = try TemporaryFolder()
        #expect(throws: OutputError.self) {
            try CSVExport.write(Attachment("a", .bytes(Data([1]))), to: OutputFolder(folder.file("none")), as: "a")
        }
    }
}
