import Foundation
import TestSupport
import Testing

/// A spec of a stranger's starts nothing, sends nothing and passes nothing on unless its reader lets it.
@Suite struct SpecTrustTests {
    /// A search whose generator leaves a mark when it is started, and whose reader may keep a file of permissions.
    struct Study {
        let run: SmallRun
        var mark: URL { run.folder.appendingPathComponent("mark") }
        var settings: URL { run.folder.appendingPathComponent("settings") }
        var allowed: URL { settings.appendingPathComponent("clip-lens/allowed") }
        var isStarted: Bool { FileManager.default.fileExists(atPath: mark.path) }

        /// - Parameter edits: of the spec of ``AdversarialSearchRunTests``.
        init(_ edits: [(String, String)] = []) throws {
            run = try AdversarialSearchRunTests.make(AdversarialSearchRunTests.text)
            try edit([("{kind: scenes}", "{kind: command, command: [touch, \"\(mark.path)\"]}")] + edits)
        }

        func edit(_ edits: [(String, String)]) throws {
            var text = try String(contentsOf: run.spec, encoding: .utf8)
            for (old, new) in edits {
                #expect(text.contains(old))
                text = text.replacing(old, with: new)
            }
            try Data(text.utf8).write(to: run.spec)
        }

        func allow(_ text: String, mode: mode_t = 0o600) throws {
            try FileManager.default.createDirectory(
                at: allowed.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: allowed)
            #expect(chmod(allowed.path, mode) == 0)
        }

        /// What was computed before is there, so that a run is about its generator.
        func prepare() throws {
            try FileManager.default.copyItem(at: AdversarialSearchRunTests.prepared.get().results, to: run.results)
        }

        func runner(_ command: [String] = [], _ extra: [String] = [], environment: [String: String] = [:]) throws
            -> RunnerProcess.Output
        {
            try RunnerProcess.start(
                command + run.arguments(extra),
                environment: ["XDG_CONFIG_HOME": settings.path].merging(environment) { $1 }
            ).wait()
        }

        func expectRefused(_ output: RunnerProcess.Output, sourceLocation: SourceLocation = #_sourceLocation) {
            #expect(
                output.status == 64 && output.text == "", "\(output.status) \(output.errors)",
                sourceLocation: sourceLocation)
            #expect(
                output.errors.contains("runs: touch \(mark.path)"), "\(output.errors)", sourceLocation: sourceLocation)
            #expect(
                output.errors.contains("fix: ") && output.errors.contains("--allow-commands"),
                sourceLocation: sourceLocation)
            #expect(
                output.errors.contains("the line \(run.spec.path) to \(allowed.path)"), "\(output.errors)",
                sourceLocation: sourceLocation)
            #expect(
                !isStarted && !FileManager.default.fileExists(atPath: run.results.path), sourceLocation: sourceLocation)
        }
    }

    @Test func aCommandIsNotStartedUnlessItIsAllowed() throws {
        let study = try Study()
        study.expectRefused(try study.runner())
        // A job of a cluster needs the permission too.
        study.expectRefused(try study.runner(["task"], ["--step", "0"]))
        // One document for a caller that asked for it.
        let json = try study.runner([], ["--json"])
        #expect(json.status == 64 && json.text.contains("not allowed: ") && !study.isStarted, "\(json.text)")

        try study.prepare()
        let output = try study.runner([], ["--allow-commands"])
        #expect(study.isStarted, "\(output.errors)")
        #expect(
            output.errors.components(separatedBy: "\(study.run.spec.path) runs: touch \(study.mark.path)\n").count == 2,
            "\(output.errors)")
    }

    @Test func textsAreNotSentUnlessItIsAllowed() throws {
        let server = try LocalServer([.chat(AdversarialSearchRunTests.answer)])
        defer { server.close() }
        let study = try Study([
            ("{kind: templates}", "{kind: chat, url: \"\(server.url)\", model: m, key-variable: HOME}")
        ])
        try study.edit([("{kind: command, command: [touch, \"\(study.mark.path)\"]}", "{kind: scenes}")])
        let output = try study.runner()
        #expect(
            output.status == 64 && output.errors.contains("sends texts to \(server.url), with the key in HOME"),
            "\(output.errors)")
        #expect(server.requests.isEmpty)
    }

    /// Nor does a plan or a check need a permission.
    @Test func planAndValidateShowEverythingAndStartNothing() throws {
        let server = try LocalServer([.chat(AdversarialSearchRunTests.answer)])
        defer { server.close() }
        let elsewhere = try ProcessFolder.make().appendingPathComponent("words.txt")
        try Data(AdversarialSearchRunTests.pool.joined(separator: "\n").utf8).write(to: elsewhere)
        let study = try Study([
            ("{kind: templates}", "{kind: chat, url: \"\(server.url)\", model: m, key-variable: API_KEY}"),
            ("\"]}", "\", \"a b\\e[2K\"], environment: [HF_HOME, HF_TOKEN]}"),
            ("file: pool.txt", "file: \(elsewhere.path)"),
            ("seed: 0", "seed: 0\nslurm: {options: [--account=lens, --exclusive]}"),
        ])
        for command in ["plan", "validate"] {
            let output = try study.runner([command])
            #expect(output.status == 0, "\(output.errors)")
            for words in [
                "  runs: touch \(study.mark.path) 'a b\\u001b[2K', which gets HF_HOME, HF_TOKEN\n",
                "  sends texts to \(server.url), with the key in API_KEY\n",
                "  passes to sbatch: --account=lens --exclusive\n",
                "  reads outside its folder: \(elsewhere.resolvingSymlinksInPath().path)\n",
            ] {
                #expect(output.text.contains(words), "\(command): \(words) in \(output.text)")
            }
            #expect(!output.text.contains("\u{1B}"))
        }
        #expect(
            !study.isStarted && server.requests.isEmpty
                && !FileManager.default.fileExists(atPath: study.run.results.path))
    }

    @Test func aSpecThatOnlyComputesSaysNothingAndNeedsNothing() throws {
        let run = try SmallRun()
        let output = try RunnerProcess.run(["validate"] + run.arguments())
        #expect(
            output.status == 0 && output.text.wholeMatch(of: /.*spec\.yaml: mean-ablation, [0-9]+ steps\n/) != nil,
            "\(output.text)")
    }

    @Test func whatIsReadElsewhereIsToldAndNotRefused() throws {
        let study = try SmallStudy(["spec.yaml": SmallSpecs.conceptDiscovery])
        let elsewhere = try ProcessFolder.make().appendingPathComponent("words.txt")
        try FileManager.default.moveItem(at: study.specs.appendingPathComponent("pool.txt"), to: elsewhere)
        try FileManager.default.createSymbolicLink(
            at: study.specs.appendingPathComponent("pool.txt"), withDestinationURL: elsewhere)
        let output = try RunnerProcess.run(study.arguments(["spec.yaml"], limit: 32))
        #expect(output.status == 0, "\(output.errors)")
        let words = "spec.yaml reads outside its folder: \(elsewhere.resolvingSymlinksInPath().path)\n"
        #expect(output.errors.components(separatedBy: words).count == 2, "\(output.errors)")
    }

    // MARK: The reader's own list

    /// A spec, or a folder above it; with the entry nothing is told.
    @Test(arguments: [true, false])
    func whatTheReaderListsIsAllowed(isFolder: Bool) throws {
        let study = try Study()
        try study.prepare()
        try study.allow("# mine\n\n  \(isFolder ? study.run.folder.path + "/" : study.run.spec.path)  \n")
        let output = try study.runner()
        #expect(study.isStarted && !output.errors.contains("runs: "), "\(output.errors)")
    }

    @Test func othersAreNot() throws {
        let study = try Study()
        try study.allow("\(study.run.folder.path)-other\n\(study.run.spec.path).bak\n/nowhere\n")
        study.expectRefused(try study.runner())
        // A link in an allowed folder does not make an allowed spec of what it leads to.
        let folder = try ProcessFolder.make()
        let link = folder.appendingPathComponent("spec.yaml")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: study.run.spec)
        try FileManager.default.createSymbolicLink(
            at: folder.appendingPathComponent("pool.txt"),
            withDestinationURL: study.run.folder.appendingPathComponent("pool.txt"))
        try study.allow(folder.path)
        let output = try RunnerProcess.start(
            ["--spec", link.path, "--results", study.run.results.path],
            environment: ["XDG_CONFIG_HOME": study.settings.path]
        ).wait()
        #expect(output.status == 64 && !study.isStarted, "\(output.status) \(output.errors)")
    }

    @Test func aListThatOthersCanWriteAllowsNothing() throws {
        for mode: mode_t in [0o666, 0o620, 0o602] {
            let study = try Study()
            try study.allow(study.run.spec.path, mode: mode)
            let output = try study.runner()
            #expect(
                output.status == 65 && output.errors.contains("\(study.allowed.path): others can write this file"),
                "\(output.errors)")
            #expect(output.errors.contains("chmod go-w") && !study.isStarted)
        }
        let study = try Study()
        try study.allow("# mine\nspec.yaml\n")
        let output = try study.runner()
        #expect(
            output.status == 65 && output.errors.contains("\(study.allowed.path):2: expected the absolute path"),
            "\(output.errors)")
        #expect(!study.isStarted)
    }

    // MARK: Addresses and options

    @Test(arguments: ["http://192.0.2.1/v1", "http://127.0.0.1.example.org/v1", "http://localhost@192.0.2.1/v1"])
    func textsGoToAnotherMachineEncryptedOnly(url: String) throws {
        let study = try Study([("{kind: templates}", "{kind: chat, url: \"\(url)\", model: m, key-variable: HOME}")])
        for command in [["validate"], []] {
            let output = try study.runner(command, command.isEmpty ? ["--allow-commands"] : [])
            #expect(
                output.status == 65 && output.errors.contains("spec.yaml:19:") && output.errors.contains("https"),
                "\(output.errors)")
        }
        #expect(!study.isStarted)
    }

    /// A proxy is another machine.
    @Test func textsForThisMachineGoToNoProxy() throws {
        let (server, proxy) = (try LocalServer([.status(500)]), try LocalServer([.status(500)]))
        defer { [server, proxy].forEach { $0.close() } }
        let study = try Study([
            ("{kind: templates}", "{kind: chat, url: \"\(server.url)\", model: m, key-variable: LENS_KEY}")
        ])
        try study.prepare()
        let address = proxy.url.replacing("/v1", with: "")
        let output = try study.runner(
            [], ["--allow-commands", "--jobs", "1"],
            environment: ["LENS_KEY": "word", "http_proxy": address, "all_proxy": address, "ALL_PROXY": address])
        #expect(
            output.status == 1 && proxy.requests.isEmpty && server.requests.count == 1,
            "\(output.status) \(output.errors)")
    }

    @Test(arguments: ["--outp=x", "--wra=touch x", "--export=ALL,LD_PRELOAD=/x", "--account"])
    func optionsThatAreNoneOfASpecsAreRefused(option: String) throws {
        let run = try SmallRun(SmallRun.text + "\nslurm: {options: [\"\(option)\"]}")
        for command in [["plan"], ["validate"], []] {
            let output = try RunnerProcess.run(command + run.arguments())
            #expect(output.status == 65 && output.errors.contains("spec.yaml:11:"), "\(output.status) \(output.errors)")
        }
        let plain = try SmallRun()
        let output = try RunnerProcess.run(plain.arguments(["--executor", "slurm", "--slurm-option", option]))
        #expect(output.status == 64 && output.errors.contains("--slurm-option: "), "\(output.status) \(output.errors)")
        #expect(
            !FileManager.default.fileExists(atPath: run.results.path)
                && !FileManager.default.fileExists(atPath: plain.results.path))
    }

    /// gnuplot runs what stands between backquotes, and names of pools and of files are those of specs.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/gnuplot")))
    func namesInASpecAreNoCommandsOfAPlot() throws {
        let folder = try ProcessFolder.make()
        let rows = ["baseline,,,", "sparse,4,0,x`touch pool`-words", "sparse,8,0,x`touch pool`-words"].map {
            "accuracy,ok,0.5,0.4,0.6,\($0)\n"
        }
        try Data(("metric,status,value,ci_lower,ci_upper,condition,m,layer,pool\n" + rows.joined()).utf8)
            .write(to: folder.appendingPathComponent("sparse-text.csv"))
        try Data("threshold,clip\n0.1,0.5\n0.2,0.6\n".utf8).write(
            to: folder.appendingPathComponent("explainability`touch file`-thresholds.csv"))
        let process = Process()
        process.executableURL = RunnerProcess.repository.appendingPathComponent("scripts/plot_figures.sh")
        process.arguments = ["."]
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == [
                "sparse-text.csv", "explainability`touch file`-thresholds.csv", "accuracy-by-phrases.png",
                "explainability`touch file`-iou-by-threshold.png",
            ])
    }

    /// Commands of a Slurm that takes no job, and keeps what it was given.
    private func slurm(in folder: URL) throws -> String {
        let programs = folder.appendingPathComponent("programs")
        try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: true)
        for (name, text) in [
            ("squeue", ""), ("scontrol", "echo MaxArraySize = 1001"),
            (
                "sbatch",
                "printf '%s\\n' \"$@\" > '\(folder.path)/submitted'; for script; do :; done; cp \"$script\" '\(folder.path)/script'; exit 1"
            ),
        ] {
            let program = programs.appendingPathComponent(name)
            try Data("#!/bin/sh\n\(text)\n".utf8).write(to: program)
            #expect(chmod(program.path, 0o700) == 0)
        }
        return "\(programs.path):/usr/bin:/bin"
    }

    @Test func optionsOfASpecArePassedWhereItIsAllowed() throws {
        let run = try SmallRun(SmallRun.text + "\nslurm: {options: [--account=lens]}")
        let environment = ["PATH": try slurm(in: run.folder), "XDG_CONFIG_HOME": run.folder.path]
        let submitted = run.folder.appendingPathComponent("submitted")
        func output(_ extra: [String]) throws -> RunnerProcess.Output {
            try RunnerProcess.start(run.arguments(["--executor", "slurm"] + extra), environment: environment).wait()
        }
        let refused = try output([])
        #expect(
            refused.status == 64 && refused.errors.contains("passes to sbatch: --account=lens"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: submitted.path))
        _ = try output(["--allow-commands"])
        #expect(try String(contentsOf: submitted, encoding: .utf8).hasPrefix("--account=lens\n"))
        // Its jobs start nothing, so that they need no permission.
        let script = run.folder.appendingPathComponent("script")
        #expect(try !String(contentsOf: script, encoding: .utf8).contains("--allow-commands"))
        // What the reader passes needs none.
        try FileManager.default.removeItem(at: submitted)
        try Data(SmallRun.text.utf8).write(to: run.spec)
        _ = try output(["--slurm-option", "--qos=mine"])
        #expect(try String(contentsOf: submitted, encoding: .utf8).hasPrefix("--qos=mine\n"))
    }

    @Test func theJobsOfARunHaveItsPermission() throws {
        let study = try Study()
        try study.prepare()
        _ = try study.runner(
            [], ["--allow-commands", "--executor", "slurm"], environment: ["PATH": try slurm(in: study.run.folder)])
        let script = try String(contentsOf: study.run.folder.appendingPathComponent("script"), encoding: .utf8)
        #expect(script.contains(" task ") && script.contains(" --allow-commands "), "\(script)")
        #expect(!study.isStarted)
    }
}
