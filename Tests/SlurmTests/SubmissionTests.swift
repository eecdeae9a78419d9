import Foundation
import Pipeline
import Testing

@testable import Slurm

/// What is handed to `sbatch`.
@Suite struct SubmissionTests {
    @Test func numbersInOrderAreWrittenAsRanges() {
        #expect(ArrayTasks.ranges([]) == "")
        #expect(ArrayTasks.ranges([4]) == "4")
        #expect(ArrayTasks.ranges([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8")
    }

    @Test func everyPendingShardHasATaskAndNoTaskIsIdle() {
        for (shards, wanted, limit) in [
            (1, 1, 1001), (10, 1, 1001), (10, 3, 1001), (5000, 1, 1001), (5000, 7, 11), (7, 1, 1), (3, 1, 0),
        ] {
            for pending in [Array(0..<shards), [shards - 1], (0..<shards).filter { $0 % 3 == 1 }] {
                let tasks = ArrayTasks(pending: pending, of: shards, wanted: wanted, limit: limit)
                let dealt = tasks.tasks.flatMap { ($0 * tasks.shardsPerTask)..<(($0 + 1) * tasks.shardsPerTask) }
                #expect(Set(dealt).isSuperset(of: pending))
                #expect(tasks.shardsPerTask >= wanted)
                #expect((tasks.tasks.last ?? 0) < max(1, limit), "\(shards) shards, \(limit)")
                #expect(tasks.tasks.allSatisfy { task in pending.contains { $0 / tasks.shardsPerTask == task } })
            }
        }
    }

    /// A shell reads the script back word by word.
    @Test func wordsReachTheProgramAsTheyAre() throws {
        let odd = [
            "a b", "it's", "$HOME", "`id`", "\"q\"", "*", "ü;x", "-n", "line\nfeed", "", "'\u{301}$HOME", "a\u{301}",
        ]
        let script = JobScript(
            command: ["/usr/bin/printf", "[%s]"] + odd, folder: "/tmp/", environment: ["OPENBLAS_CORETYPE": "Has'well"],
            about: "two\nlines; rm -rf x")
        let text = script.text(shardsPerTask: 4, failures: "/tmp/it's")
        let output = try shell(text, ["SLURM_ARRAY_TASK_ID": "3"])
        #expect(
            output
                == (odd + ["--shards", "12-15", "--failure", "/tmp/it's/shards-00000003.json"]).map { "[\($0)]" }
                .joined())
        #expect(text.hasPrefix("#!/bin/sh\n# two lines; rm -rf x\nexport OPENBLAS_CORETYPE='Has'\\''well'\n"))
    }

    @Test func wordsThatMeanNothingToAShellAreLeftAsTheyAre() {
        let plain = "--spec=/a_b/c-1.yaml,x:2@3%4+5"
        #expect(plain.quotedForShell == plain)
        for word in ["", "a b", "~", "a;b", "é", "a\n"] { #expect(word.quotedForShell == "'\(word)'", "\(word)") }
    }

    @Test func theEndOfAStepHasNoShards() throws {
        let script = JobScript(command: ["/usr/bin/printf", "[%s]"], folder: "/", environment: [:], about: "x")
        #expect(try shell(script.text(shardsPerTask: nil, failures: "/f"), [:]) == "[--failure][/f/finish.json]")
    }

    private func shell(_ text: String, _ environment: [String: String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", text]
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    @Test func optionsSayEverythingOnTheCommandLine() {
        var settings = SlurmSettings()
        settings.options = ["--account=lens"]
        settings.time = "2:00:00"
        settings.partition = "main"
        var options = JobOptions(
            name: "clip-lens-1", role: .finish, array: "0", logs: "/r/100%", folder: "/r", cpus: 2, memory: 300 << 20,
            after: ["12", "13"],
            settings: settings)
        #expect(
            options.arguments == [
                "--account=lens", "--parsable", "--job-name=clip-lens-1", "--comment=finish", "--array=0",
                "--output=/r/100%%/%A_%a.log",
                "--open-mode=append", "--chdir=/r", "--export=ALL", "--nodes=1", "--ntasks=1", "--cpus-per-task=2",
                "--mem=1324M",
                "--time=2:00:00", "--partition=main", "--dependency=afterany:12:13",
            ])
        options.settings.memory = "4G"
        #expect(options.arguments.contains("--mem=4G"))
        options.settings.memory = nil
        options.memory = .max
        #expect(options.arguments.contains { $0.wholeMatch(of: /--mem=[0-9]+M/) != nil })
    }

    // MARK: Settings

    @Test func aSpecsSettingsAreReadAndTheCommandLineGoesFirst() throws {
        let spec = try SpecDocument(
            text:
                "experiment: x\nslurm: {partition: long, time: \"1:00:00\", cpus: 4, memory: 8G, shards-per-task: 2, attempts: 5, options: [--account=a]}",
            path: "x.yaml")
        let settings = try SlurmSettings(spec)
        #expect(
            settings.partition == "long" && settings.time == "1:00:00" && settings.cpus == 4 && settings.memory == "8G")
        #expect(settings.shardsPerTask == 2 && settings.attempts == 5 && settings.options == ["--account=a"])
        var commandLine = SlurmSettings()
        commandLine.cpus = 2
        commandLine.options = ["--account=b"]
        let both = commandLine.over(settings)
        #expect(both.cpus == 2 && both.partition == "long" && both.options == ["--account=a", "--account=b"])
        #expect(try SlurmSettings(SpecDocument(text: "experiment: x", path: "x.yaml")) == SlurmSettings())
    }

    @Test func settingsThatSlurmWouldMisreadAreRefusedWithTheirPlace() {
        for text in [
            "partition: \"a b\"", "time: \"soon\"", "memory: 4GB", "cpus: 0", "attempts: 0", "options: [-p]",
            "options: [--array=1-9]",
            "options: [\"--x=1 --y\", \"x\"]", "partitions: main", "shards-per-task: 0",
        ] {
            #expect(throws: SpecError.self, "\(text)") {
                try SlurmSettings(SpecDocument(text: "experiment: x\nslurm: {\(text)}", path: "x.yaml"))
            }
        }
        #expect(throws: SpecError.self) {
            try SlurmSettings(SpecDocument(text: "experiment: x\nslurm: main", path: "x.yaml"))
        }
    }

    /// `sbatch` takes the beginning of an option for the option, and where a value is missing the next option for the value.
    @Test(arguments: [
        "--outp=x", "--wra=touch /tmp/x", "--wrap=x", "--export=ALL,LD_PRELOAD=/x", "--expor=ALL", "--get-user-env",
        "--uid=0", "--chd=/",
        "--bcast=/x", "--propagate", "--container=/x", "--acc=a", "--account", "--account=", "--gres", "--contiguous=1",
        "--mem=1G", "-A",
        "--account a", "--account=a\n", "--partition=a",
    ])
    func optionsThatAreNotToBePassedAreRefused(option: String) {
        #expect(SlurmSettings.problem(option: option) != nil)
    }

    @Test(arguments: [
        "--account=lens", "--constraint=amd&avx512", "--gres=gpu:1", "--exclusive", "--exclusive=user", "--nice",
        "--nice=5",
    ])
    func optionsThatAskForResourcesPass(option: String) {
        #expect(SlurmSettings.problem(option: option) == nil)
    }

    @Test func theNameOfJobsFollowsFromFolderAndStep() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = try JSONDecoder().decode(StepKey.self, from: Data("\"\(String(repeating: "a", count: 64))\"".utf8))
        let name = SlurmSite.jobName(results: folder, step: key)
        #expect(name.wholeMatch(of: /clip-lens-[0-9a-f]{16}/) != nil)
        #expect(name == SlurmSite.jobName(results: URL(fileURLWithPath: folder.path + "/"), step: key))
        #expect(name != SlurmSite.jobName(results: folder.appendingPathComponent("x"), step: key))
    }
}
