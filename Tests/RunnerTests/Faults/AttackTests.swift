import Foundation
import Foundations
import Testing

/// What somebody who can write into a folder of results, or who names the inputs, may not have the runner do.
@Suite struct AttackTests {
    /// Runs a shell's line in the repository's folder.
    private func shell(_ line: String) throws -> RunnerProcess.Output {
        try RunnerProcess.run(["-c", line], executable: URL(fileURLWithPath: "/bin/bash"))
    }

    private func command(_ arguments: [String]) -> String {
        ([RunnerProcess.executable.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    }

    // MARK: Links

    @Test(arguments: [".lock", "cache", "results-snapshot.sqlite", "mean-ablation.csv", "cache/emoji-scenes"])
    func nothingIsWrittenThroughALink(name: String) throws {
        let run = try FaultRun()
        defer { run.remove() }
        let (link, victim) = (run.results.appendingPathComponent(name), run.folder.appendingPathComponent("victim"))
        try FileManager.default.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
        let isFolder = name.hasPrefix("cache")
        if isFolder {
            try FileManager.default.createDirectory(at: victim, withIntermediateDirectories: true)
        } else {
            try Data("precious".utf8).write(to: victim)
        }
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: victim)

        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 73, "\(output.status) \(output.errors)")
        #expect(output.errors.contains("\(link.path): cannot be written: a symbolic link"), "\(output.errors)")
        if isFolder {
            #expect(try FileManager.default.contentsOfDirectory(atPath: victim.path) == [])
        } else {
            #expect(try Data(contentsOf: victim) == Data("precious".utf8))
        }
    }

    // MARK: Pipes

    /// A pipe without a writer keeps whoever opens it carelessly waiting for ever.
    @Test(.timeLimit(.minutes(2)), arguments: ["results/.lock", "results/.tasks", "results/cache"])
    func aPipeInTheResultsIsRefused(name: String) throws {
        let run = try FaultRun()
        defer { run.remove() }
        let pipe = run.folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: pipe.deletingLastPathComponent(), withIntermediateDirectories: true)
        #expect(mkfifo(pipe.path, 0o600) == 0)
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 73 && output.errors.contains(pipe.path), "\(output.status) \(output.errors)")
    }

    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            ("spec.yaml", nil), ("model/config.json", nil), ("model/model.safetensors", nil), ("model/vocab.json", nil),
            ("model/merges.txt", nil), ("model/preprocessor_config.json", nil), ("datasets.manifest", nil),
            ("models/prompts/templates-simple-7.txt", nil), ("names.txt", "class-names: ./names.txt"),
        ] as [(String, String?)])
    func aPipeAmongTheInputsIsRefused(name: String, line: String?) throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        try study.writeMeanAblation(evaluation: "{dataset: imagenet-train}", line ?? "")
        let pipe = study.folder.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: pipe)
        #expect(mkfifo(pipe.path, 0o600) == 0)
        let output = try study.run()
        #expect(
            [65, 66].contains(output.status) && output.errors.contains(pipe.lastPathComponent),
            "\(output.status) \(output.errors)")
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }

    // MARK: Terminals

    @Test func namesDoNotReachTheTerminalAsCommands() throws {
        let study = try PictureStudy()
        defer { try? FileManager.default.removeItem(at: study.folder) }
        var files: [String: Data] = [:]
        for (index, data) in try OwnPictures.classFolders().sorted(by: { $0.key < $1.key }).map(\.value).enumerated() {
            files["\u{1B}[2Jclass \(index / 2)/\u{9B}31m\(index).png"] = data
        }
        files["\u{1B}[2Jclass 0/\u{1B}]0;title\u{7}.png"] = Data("no picture".utf8)
        try OwnPictures.write(files, to: study.data.appendingPathComponent("hostile"))
        try study.writeMeanAblation(evaluation: "{dataset: class-folders, path: $DATA/hostile}", "on-bad-image: skip")
        let output = try study.run()
        #expect(output.status == 0, "\(output.errors)")
        let rows = try String(
            contentsOf: study.results.appendingPathComponent("mean-ablation-predictions.csv"), encoding: .utf8)
        for text in [output.text, output.errors, rows] {
            #expect(
                !text.unicodeScalars.contains {
                    $0.properties.generalCategory == .control && !"\n\t\r".unicodeScalars.contains($0)
                })
        }
        #expect(output.errors.contains(#"\u001b]0;title\u0007.png"#), "\(output.errors)")
        #expect(rows.contains(#"\u001b[2Jclass 0"#) && rows.contains(#"\u009b31m1.png"#), "\(rows)")
    }

    // MARK: Limits

    @Test func limitsOfTheShellEndInAWord() throws {
        let run = try FaultRun()
        defer { run.remove() }
        let few = try shell("ulimit -n 16; \(command(run.arguments()))")
        #expect(few.status == 69 && few.errors.contains("ulimit -n"), "\(few.status) \(few.errors)")
        // A limit that may be raised is none.
        let soft = try shell("ulimit -Sn 16; \(command(["--version"]))")
        #expect(soft.status == 0, "\(soft.errors)")
        let small = try shell("ulimit -f 40; \(command(run.arguments()))")
        #expect(small.status == 74 && small.errors.contains("ulimit -f"), "\(small.status) \(small.errors)")
        let whole = try run.run()
        #expect(try whole.status == 0 && run.rows() == FaultRun.undisturbed.get().rows, "\(whole.errors)")
    }

    /// Whoever reads the tables leaves after the first lines: the other experiments' rows are wanted all the same.
    @Test func aReaderWhoLeavesDoesNotEndTheRun() throws {
        let study = try SmallStudy(SeveralSpecsTests.texts)
        defer { try? FileManager.default.removeItem(at: study.folder) }
        let output = try shell("\(command(study.arguments(limit: 32))) | head -c 1; exit ${PIPESTATUS[0]}")
        #expect(output.status == 74 && output.errors.contains("standard output"), "\(output.status) \(output.errors)")
        for name in ["mean-ablation.csv", "concept-discovery.csv"] {
            #expect(FileManager.default.fileExists(atPath: study.file(name).path), "\(name): \(output.errors)")
        }
    }

    /// What the system sends to a program whose mapped file was cut short.
    @Test func aMappedFileThatIsCutShortEndsInAWord() throws {
        let run = try FaultRun()
        defer { run.remove() }
        let started = try run.start(Fault(kind: .hangOpen, at: 1, only: "emoji-clip/model.safetensors"))
        defer { started.running.process.terminate() }
        try started.waitForFault()
        kill(started.running.process.processIdentifier, SIGBUS)
        let output = try started.end()
        #expect(
            output.status == 65 && output.errors.contains("became shorter while it was read"),
            "\(output.status) \(output.errors)")
        let again = try run.run()
        #expect(try again.status == 0 && run.rows() == FaultRun.undisturbed.get().rows, "\(again.errors)")
    }

    // MARK: The lock

    /// Without its lock a run is not alone in the folder, and without its database its rows are lost: it says so.
    @Test(arguments: [
        (".lock", Int32(75), ".lock: removed while this runner held it"),
        ("results.sqlite", 74, "removed or replaced under the run"),
    ])
    func whatIsRemovedUnderARunIsMissed(name: String, status: Int32, words: String) throws {
        let run = try FaultRun()
        defer { run.remove() }
        let started = try run.start(nil)
        defer { started.running.process.terminate() }
        let begun = run.results.appendingPathComponent("cache/zero-shot-classifier")
        try started.wait { FileManager.default.fileExists(atPath: begun.path) }
        try FileManager.default.removeItem(at: run.results.appendingPathComponent(name))
        let output = try started.end()
        #expect(output.status == status && output.errors.contains(words), "\(output.status) \(output.errors)")
        let rows = run.results.appendingPathComponent("mean-ablation.csv")
        #expect(name != ".lock" || !FileManager.default.fileExists(atPath: rows.path))
        let again = try run.run()
        #expect(try again.status == 0 && run.rows() == FaultRun.undisturbed.get().rows, "\(again.errors)")
    }
}
