import Foundation
import Foundations
import Inputs
import TestSupport
import Testing

/// `runner fetch` and `runner verify` as a user starts them.
@Suite struct FetchTests {
    let folder: URL
    let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) })

    init() throws { folder = try ProcessFolder.make() }

    var data: URL { folder.appendingPathComponent("data") }
    var digest: String { Digest.sha256(of: content) }

    /// A manifest of one file.
    func manifest(_ address: String?, sha256: String? = nil, instructions: String? = nil) throws -> String {
        var file = ["name": "x.bin"]
        file["address"] = address
        file["sha256"] = sha256
        var entry: [String: Any] = ["kind": "dataset", "origin": "a test", "licence": "none", "files": [file]]
        entry["instructions"] = instructions
        let url = folder.appendingPathComponent("datasets.manifest")
        try JSONSerialization.data(withJSONObject: ["models": [:], "datasets": [:], "downloads": ["x": entry]]).write(
            to: url)
        return url.path
    }

    func arguments(_ command: String, _ manifest: String, _ more: [String] = []) -> [String] {
        [command, "x", "--manifest", manifest, "--folder", data.path] + more
    }

    func served(_ change: (inout LocalServer.PublishedFile) -> Void = { _ in }) -> LocalServer.Answer {
        var file = LocalServer.PublishedFile(content, etag: "\"v1\"")
        change(&file)
        return .file(file)
    }

    @Test func fetchAndVerify() throws {
        let server = try LocalServer([served()])
        let manifest = try manifest(server.url, sha256: digest)
        let missing = try RunnerProcess.run(arguments("verify", manifest))
        #expect(missing.status == 66 && missing.text.contains("missing") && missing.errors.contains("runner fetch x"))
        let fetched = try RunnerProcess.run(arguments("fetch", manifest))
        #expect(fetched.status == 0, "\(fetched.errors)")
        #expect(fetched.text.contains(digest))
        #expect(try Data(contentsOf: data.appendingPathComponent("x.bin")) == content)
        #expect(try RunnerProcess.run(arguments("verify", manifest)).status == 0)

        let handle = try FileHandle(forUpdating: data.appendingPathComponent("x.bin"))
        try handle.write(contentsOf: Data([content[0] ^ 1]))
        try handle.close()
        let wrong = try RunnerProcess.run(arguments("verify", manifest, ["--json"]))
        #expect(wrong.status == 65)
        let document = try #require(JSONSerialization.jsonObject(with: Data(wrong.text.utf8)) as? [String: Any])
        #expect(document["state"] as? String == "failed")
        #expect((document["files"] as? [[String: Any]])?.first?["status"] as? String == "wrong-digest")
        #expect(try RunnerProcess.run(arguments("fetch", manifest)).status == 65)
    }

    @Test func gatedSetsGetInstructions() throws {
        let output = try RunnerProcess.run(
            arguments("fetch", manifest(nil, sha256: digest, instructions: "ask its owners")))
        #expect(output.status == 66 && output.errors.contains("ask its owners"))
        #expect(!FileManager.default.fileExists(atPath: data.path))
        let unknown = try RunnerProcess.run(["fetch", "y", "--manifest", manifest(nil, instructions: "ask")])
        #expect(unknown.status == 66 && unknown.errors.contains("did you mean 'x'"))
    }

    @Test func whatTheServerDoesWrong() throws {
        for (answer, code, words) in [
            (LocalServer.Answer.status(404), Int32(66), "404"), (.status(500), 69, "500"),
            (.redirect(to: "file:///etc/passwd"), 69, "not followed"),
            (.file(.init(Data("another".utf8))), 65, "expected \(digest)"),
        ] {
            let server = try LocalServer([answer])
            let output = try RunnerProcess.run(arguments("fetch", manifest(server.url, sha256: digest)))
            #expect(output.status == code && output.errors.contains(words), "\(output.status) \(output.errors)")
            #expect(output.errors.contains("fix:"))
            let left = try FileManager.default.contentsOfDirectory(atPath: data.path).filter { !$0.hasPrefix(".") }
            #expect(left.isEmpty, "\(left)")
        }
    }

    /// Ctrl-C keeps what has come; meanwhile nobody else fetches into the folder; then it goes on.
    @Test func interruptedFetchGoesOn() throws {
        let server = try LocalServer([served { $0.pauseInMicroseconds = 200_000 }, served()])
        let manifest = try manifest(server.url, sha256: digest)
        let running = try RunnerProcess.start(arguments("fetch", manifest))
        let part = data.appendingPathComponent("x.bin.part").path
        func size() -> Int { ((try? FileManager.default.attributesOfItem(atPath: part)[.size]) as? Int) ?? 0 }
        for _ in 0..<500 where size() == 0 { usleep(20_000) }
        let second = try RunnerProcess.run(arguments("fetch", manifest, ["--lock-timeout", "0"]))
        #expect(
            second.status == 75 && second.errors.contains("process \(running.process.processIdentifier)"),
            "\(second.errors)")
        running.process.interrupt()
        let output = try running.wait()
        #expect(output.status == 130 && output.errors.contains("go on with:"), "\(output.status) \(output.errors)")
        #expect(size() > 0)
        let resumed = try RunnerProcess.run(arguments("fetch", manifest))
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(server.requests.last?.head.contains("Range: bytes=") == true)
    }

    @Test(.enabled(if: SmallDisk.isAvailable)) func fullDiskIsNamed() throws {
        for statesLength in [true, false] {
            let disk = try SmallDisk(at: data, mebibytes: 1)
            defer { disk.unmount() }
            let server = try LocalServer([served { $0.statesLength = statesLength }])
            let output = try RunnerProcess.run(arguments("fetch", manifest(server.url, sha256: digest)))
            #expect(
                output.status == 74 && output.errors.contains("x.bin") && output.errors.contains("free"),
                "\(output.errors)")
        }
    }
}
