import Foundation
import TestSupport
import Testing

/// Each kind of bad input: one error that names file, place and remedy, a fitting exit code, and nothing
/// half-written left behind.
@Suite struct BadInputTests {
    /// Runs a spec that has to be refused.
    func refusal(_ text: String, _ extra: [String] = []) throws -> RunnerProcess.Output {
        let run = try SmallRun(text)
        let output = try RunnerProcess.run(run.arguments(extra))
        #expect(output.status != 0)
        #expect(output.text == "")
        #expect(output.errors.contains("error: "))
        #expect(output.errors.contains("fix: "))
        let rows = run.results.appendingPathComponent("mean-ablation.csv").path
        #expect(!FileManager.default.fileExists(atPath: rows))
        return output
    }

    func edited(_ old: String, _ new: String) -> String {
        SmallRun.text.replacingOccurrences(of: old, with: new)
    }

    @Test func unknownKeyIsShownWithItsPlaceAndTheNearestName() throws {
        let output = try refusal(edited("model: emoji-clip", "modle: emoji-clip"))
        #expect(output.status == 65)
        #expect(output.errors.contains("spec.yaml:3:1: unknown key 'modle'"))
        #expect(output.errors.contains("did you mean 'model'?"))
    }

    @Test func valueOutOfRangeIsShownWithItsPlace() throws {
        let output = try refusal(edited("significant-images: 10", "significant-images: 1"))
        #expect(output.status == 65)
        #expect(output.errors.contains("spec.yaml:6:21"))
    }

    @Test(arguments: [
        ("seed: 0", "seed: 0\nseed: 1", "seed"),
        ("experiment: mean-ablation", "experiment: mean-ablations", "did you mean 'mean-ablation'?"),
        ("split: val", "split: vale", "did you mean 'val'?"),
        ("split: val", "split: train", "no end"),
        ("model: emoji-clip", "model: emoji-clop", "did you mean 'emoji-clip'?"),
        ("seed: 0", "layers: [0, 5]\nseed: 0", "no later attention layer"),
        ("seed: 0", "layers: []\nseed: 0", "empty list"),
        ("dataset: emoji-scenes, split: val", "dataset: emoji-scene, split: val", "spec.yaml:5:"),
        ("world: emoji", "world: no name", "spec.yaml:2:8"),
        ("neurons: 1,", "neurons: 769,", "from 1 to 768"),
        ("neurons: 1,", "neurons: 0,", "spec.yaml:7:28: 'indirect-sample.neurons' is 0"),
        ("controls: {accuracy-floor: 0.3}", "", "'controls' is missing"),
        ("seed: 0", "seed: zero", "a whole number"),
        ("significant-images: 10", "significant-images: 1e3", "readers of YAML disagree"),
    ])
    func specsAreRefused(old: String, new: String, words: String) throws {
        let output = try refusal(edited(old, new))
        #expect([65, 66].contains(output.status))
        #expect(output.errors.contains(words), "\(output.errors)")
    }

    /// Of several specs, and before anything that they name is opened.
    @Test func allFaultsAreToldAtOnce() throws {
        let study = try SmallStudy([
            "a.yaml": SmallSpecs.meanAblation.replacing("model: emoji-clip", with: "model: ./no-such-folder")
                + "\noverlays: 3\nslurm: {cpus: 0, options: [--wrap=x]}\n",
            "b.yaml": SmallSpecs.segmentation.replacing("neurons: 5", with: "neurons: five"),
        ])
        let output = try RunnerProcess.run(
            ["--spec", study.specs.path, "--results", study.results.path, "--json"])
        #expect(output.status == 65)
        let words = [
            "unknown key 'overlays'", "'slurm.cpus' is 0", "--wrap is not passed to sbatch",
            "'neurons' has to be a whole number",
        ]
        for words in words { #expect(output.errors.contains(words), "\(output.errors)") }
        #expect(output.errors.components(separatedBy: "error: ").count == words.count + 1, "\(output.errors)")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any])
        let error = try #require(document["error"] as? String)
        #expect(error.split(separator: "\n").count == words.count && words.allSatisfy(error.contains), "\(error)")
        #expect(!FileManager.default.fileExists(atPath: study.results.path))
    }

    @Test func missingSpecAndManifest() throws {
        let missing = try RunnerProcess.run(["--spec", "nowhere.yaml"])
        #expect(missing.status == 66)
        #expect(missing.errors.contains("nowhere.yaml"))
        let run = try SmallRun()
        let output = try RunnerProcess.run(run.arguments(["--manifest", "nowhere.manifest"]))
        #expect(output.status == 66)
        #expect(output.errors.contains("nowhere.manifest"))
    }

    @Test func usageErrorsExitWith64() throws {
        #expect(try RunnerProcess.run(["--spec", "x", "--jobs", "0"]).status == 64)
        #expect(try RunnerProcess.run(["--sepc", "x"]).status == 64)
        #expect(try RunnerProcess.run(["--help"]).status == 0)
    }

    @Test func aFullDiskUnderTheOutputsIsNoSuccessAndNoTrap() throws {
        let run = try SmallRun()
        let command = ([RunnerProcess.executable.path] + run.arguments()).joined(separator: " ")
        func shell(_ redirection: String) throws -> RunnerProcess.Output {
            try RunnerProcess.run(["-c", "\(command) \(redirection)"], executable: URL(fileURLWithPath: "/bin/sh"))
        }
        #expect(try shell("2>/dev/full").status == 0)
        #expect(try shell(">/dev/full").status == 74)
    }

    @Test func jsonIsOneDocumentAlsoOnFailure() throws {
        func document(_ text: String) throws -> (state: String?, rows: Int?, error: String?) {
            let run = try SmallRun(text)
            let output = try RunnerProcess.run(run.arguments(["--json"]))
            let object = try #require(try JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any])
            return (object["state"] as? String, (object["rows"] as? [Any])?.count, object["error"] as? String)
        }
        let done = try document(SmallRun.text)
        #expect(done.state == "done" && done.error == nil && (done.rows ?? 0) > 20)
        let refused = try document(edited("seed: 0", "sead: 0"))
        #expect(refused.state == "failed" && refused.rows == 0 && refused.error?.contains("sead") == true)
        let untrusted = try document(edited("accuracy-floor: 0.3", "accuracy-floor: 1.0"))
        #expect(untrusted.state == "untrusted" && (untrusted.rows ?? 0) > 20)
    }

    @Test func theFilesAreThoseOfTheTableThatWasPrinted() throws {
        let run = try SmallRun()
        let csv = run.results.appendingPathComponent("mean-ablation.csv")
        func rows(_ limit: String) throws -> Data {
            let output = try RunnerProcess.run([
                "--spec", run.spec.path, "--results", run.results.path, "--limit", limit,
            ])
            #expect(output.status == 0, "\(output.errors)")
            #expect(output.text.contains("PARTIAL, \(limit) images"))
            return try Data(contentsOf: csv)
        }
        let first = try rows("48")
        #expect(try rows("32") != first)
        #expect(try rows("48") == first)
    }

    @Test func tooLittleMemoryIsSaidBeforeWork() throws {
        let output = try refusal(SmallRun.text, ["--memory", "1M"])
        #expect(output.status == 64)
        #expect(output.errors.contains("--memory"))
    }

    @Test func aResultsFolderThatCannotBeMadeIsRefusedBeforeWork() throws {
        let run = try SmallRun()
        try Data().write(to: run.results)  // a file where the folder should be
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 73)
        #expect(output.errors.contains("cannot be written"))
    }

    @Test func aFailedControlIsNotPrintedAsIfItCouldBeTrusted() throws {
        let run = try SmallRun(edited("accuracy-floor: 0.3", "accuracy-floor: 1.0"))
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 3)
        #expect(output.text.hasPrefix("DO NOT TRUST THIS TABLE"))
        #expect(output.errors.contains("below the floor"))
        let rows = try String(contentsOf: run.results.appendingPathComponent("mean-ablation.csv"), encoding: .utf8)
        #expect(rows.split(separator: "\n").dropFirst().allSatisfy { $0.contains("untrusted") })
    }

    // MARK: Folders and disks

    static let isRoot = geteuid() == 0

    /// Starts the runner as a user without rights, because root ignores permissions.
    static func runUnprivileged(_ arguments: [String]) throws -> RunnerProcess.Output {
        try RunnerProcess.run(
            ["--reuid=65534", "--regid=65534", "--clear-groups", RunnerProcess.executable.path] + arguments,
            executable: URL(fileURLWithPath: "/usr/bin/setpriv"))
    }

    /// Not where the clone is closed to other users, or without setpriv.
    static let canRunUnprivileged: Bool = {
        guard isRoot, let run = try? SmallRun() else { return false }
        return (try? runUnprivileged(["plan"] + run.arguments()).status) == 0
    }()

    @Test(.enabled(if: canRunUnprivileged, "needs root, setpriv and a clone that others may read"))
    func aReadOnlyResultsFolderIsRefusedBeforeWork() throws {
        let run = try SmallRun()
        try FileManager.default.createDirectory(at: run.results, withIntermediateDirectories: true)
        for url in [run.folder, run.results] {
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: url.path)
        }
        let output = try Self.runUnprivileged(run.arguments())
        #expect(output.status == 73, "\(output.errors)")
        #expect(output.errors.contains("cannot be written"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.results.path) == [])
    }

    /// A disk that fills up in the middle of a run: what was finished is kept, and the run ends once there is room.
    @Test(.enabled(if: isRoot && SmallDisk.isAvailable, "needs root and a tmpfs"))
    func aFullDiskEndsTheRunAndLosesNothing() throws {
        let run = try SmallRun()
        let disk = try SmallDisk(at: run.results, mebibytes: 3)
        defer { disk.unmount() }
        let full = try RunnerProcess.run(run.arguments())
        #expect(full.status == 74, "\(full.errors)")
        #expect(full.errors.contains("could not be saved"))
        try disk.resize(mebibytes: 256)
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0, "\(again.errors)")

        let undisturbed = try SmallRun()
        #expect(try RunnerProcess.run(undisturbed.arguments()).status == 0)
        for name in ["mean-ablation.csv", "mean-ablation-predictions.csv"] {
            #expect(
                try Data(contentsOf: run.results.appendingPathComponent(name))
                    == Data(contentsOf: undisturbed.results.appendingPathComponent(name)))
        }
    }

    // MARK: Damaged models and data

    /// A manifest and a copy of the model whose files a test may spoil.
    struct Copy {
        let folder: URL
        var model: URL { folder.appendingPathComponent("models/emoji-clip") }
        var manifest: URL { folder.appendingPathComponent("datasets.manifest") }

        init() throws {
            folder = try ProcessFolder.make()
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("models"), withIntermediateDirectories: true)
            for path in ["models/emoji-clip", "datasets.manifest"] {
                try FileManager.default.copyItem(
                    at: RunnerProcess.repository.appendingPathComponent(path), to: folder.appendingPathComponent(path))
            }
        }

        func edit(_ url: URL, _ change: (inout Data) -> Void) throws {
            var data = try Data(contentsOf: url)
            change(&data)
            try data.write(to: url)
        }
    }

    func refusal(_ copy: Copy) throws -> RunnerProcess.Output {
        try refusal(SmallRun.text, ["--manifest", copy.manifest.path])
    }

    @Test func missingWeights() throws {
        let copy = try Copy()
        try FileManager.default.removeItem(at: copy.model.appendingPathComponent("model.safetensors"))
        let output = try refusal(copy)
        #expect(output.status == 66)
        #expect(output.errors.contains("model.safetensors"))
    }

    @Test func changedWeightsDoNotPassForTheOldOnes() throws {
        let copy = try Copy()
        try copy.edit(copy.model.appendingPathComponent("model.safetensors")) { $0[$0.count - 1] ^= 1 }
        let output = try refusal(copy)
        #expect(output.status == 65)
        #expect(output.errors.contains("the manifest states"))
    }

    @Test func wrongSplitDigestIsFoundAndNothingOfItKept() throws {
        let copy = try Copy()
        let run = try SmallRun(SmallRun.text)
        try copy.edit(copy.manifest) { data in
            let text = String(decoding: data, as: UTF8.self)
            guard let split = text.range(of: "\"val\" : {"),
                let digest = text[split.upperBound...].firstRange(of: try! Regex("[0-9a-f]{64}"))
            else { return }
            data = Data(text.replacingCharacters(in: digest, with: String(repeating: "0", count: 64)).utf8)
        }
        let output = try RunnerProcess.run([
            "--spec", run.spec.path, "--results", run.results.path, "--manifest", copy.manifest.path,
        ])
        #expect(output.status == 65)
        #expect(output.errors.contains("split val"))
        let kept = FileManager.default.enumerator(atPath: run.results.path)?.compactMap { $0 as? String } ?? []
        #expect(!kept.contains { $0.hasPrefix("cache/ablation-predictions") })
    }
}
