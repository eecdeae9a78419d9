import Foundation
import Testing

@testable import Pipeline

@Suite struct FileTests {
    @Test func digestsOfFilesAndDataAgree() throws {
        #expect(
            Digest.sha256(of: Data("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("file")
        for size in [0, 1, (1 << 20) - 1, 1 << 20, (2 << 20) + 3] {
            let data = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try data.write(to: url)
            #expect(try Digest.sha256(ofFile: url) == Digest.sha256(of: data))
        }
    }

    @Test func whatIsNoRegularFileCannotBeRead() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.url.appendingPathComponent("fifo")
        #expect(mkfifo(fifo.path, 0o600) == 0)
        for (url, code) in [
            (folder.url, EISDIR), (fifo, EINVAL),
            (folder.url.appendingPathComponent("none"), ENOENT),
        ] {
            let error = #expect(throws: PipelineError.self) { try Digest.sha256(ofFile: url) }
            guard case .cannotRead(url.path, code) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func aReplacedFileIsWholeOrAsBefore() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("table.csv")
        try DurableFile.write(Data("old".utf8), to: url)
        #expect(throws: ShardFailure.self) {
            try DurableFile.replace(url) { temporary in
                try Data("half".utf8).write(to: temporary)
                throw ShardFailure()
            }
        }
        #expect(try Data(contentsOf: url) == Data("old".utf8))
        try DurableFile.write(Data("new".utf8), to: url)
        #expect(try Data(contentsOf: url) == Data("new".utf8))
        #expect(try folder.files() == ["table.csv"])
    }

    @Test func aSaveThatFailsNamesTheFileThatWasMeant() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("none/table.csv")
        let error = #expect(throws: PipelineError.self) { try DurableFile.write(Data(), to: url) }
        guard case .saveFailed(url.path, ENOENT, nil) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
