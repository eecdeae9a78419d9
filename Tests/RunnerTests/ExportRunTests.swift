import Foundation
import Inputs
import Safetensors
import TestSupport
import Testing

/// `runner export` as a user starts it.
@Suite struct ExportRunTests {
    let folder: URL
    /// Of the steps, beside the folder of what a user names.
    let results: URL
    let model: TinyModelFolder

    init() throws {
        folder = try ProcessFolder.make()
        results = try ProcessFolder.make()
        model = try TinyModelFolder()
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        for index in 0..<5 {
            try RGBImage(width: 9 + index, height: 12, grey: UInt8(40 * index))
                .writePNG(to: pictures.appendingPathComponent("\(index).png"))
        }
    }

    var pictures: URL { folder.appendingPathComponent("pictures") }
    var output: URL { folder.appendingPathComponent("out.safetensors") }

    func arguments(
        _ what: String, _ more: [String] = [], images: URL? = nil, model path: String? = nil, output file: URL? = nil
    ) -> [String] {
        [
            "export", what, "--model", path ?? model.url.path, "--images", (images ?? pictures).path, "--output",
            (file ?? output).path, "--results", results.path,
        ] + more
    }

    let neurons = ["--layer", "0", "--neurons", "0..<4"]

    /// By whatever path; what else lies beside pictures is written over as always.
    @Test func whatIsReadIsNotWrittenOver() throws {
        let link = folder.appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: model.url)
        let texts = folder.appendingPathComponent("texts.txt")
        try Data("a\n".utf8).write(to: texts)
        let inputs = [
            model.weights, link.appendingPathComponent("vocab.json"), pictures.appendingPathComponent("0.png"),
        ]
        let before = try inputs.map { try Data(contentsOf: $0) }
        for input in inputs {
            let refused = try RunnerProcess.run(arguments("images", output: input))
            #expect(
                refused.status == 64 && refused.errors.contains("which is read") && refused.errors.contains("--output"),
                "\(refused.errors)")
        }
        #expect(try inputs.map { try Data(contentsOf: $0) } == before)
        let refused = try RunnerProcess.run([
            "export", "texts", "--model", model.url.path, "--texts", texts.path, "--output", texts.path, "--results",
            results.path,
        ])
        #expect(refused.status == 64)
        #expect(try Data(contentsOf: texts) == Data("a\n".utf8))
        let beside = pictures.appendingPathComponent("out.safetensors")
        for _ in 0..<2 { #expect(try RunnerProcess.run(arguments("images", output: beside)).status == 0) }
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }

    @Test func everyFormWritesAFileThatReads() throws {
        let forms: [(String, [String], String, [Int])] = [
            ("images", [], "embeddings", [5, 6]), ("second-order", neurons, "effects", [5, 4, 6]),
            ("attention", [], "attention", [5, 2, 2, 5]), ("maps", ["--method", "rollout"], "maps", [5, 1, 2, 2]),
            ("maps", ["--method", "gradcam", "--text", "a dog", "a cat", "--limit", "3"], "maps", [3, 2, 2, 2]),
        ]
        for (what, more, tensor, shape) in forms {
            let done = try RunnerProcess.run(arguments(what, more))
            #expect(done.status == 0, "\(what): \(done.errors)")
            #expect(done.errors == "")
            #expect(done.text.contains(tensor))
            let file = try SafetensorsFile(contentsOf: output)
            #expect(file.tensors[tensor]?.shape == shape)
            #expect(file.metadata["clip-lens"]?.contains(#""contents":"\#(what)""#) == true)
        }
        let texts = folder.appendingPathComponent("texts.txt")
        try Data("b\nc\n".utf8).write(to: texts)
        let done = try RunnerProcess.run([
            "export", "texts", "--model", model.url.path, "--output", output.path, "--results", results.path, "--text",
            "a", "--texts", texts.path,
        ])
        #expect(done.status == 0, "\(done.errors)")
        #expect(try SafetensorsFile(contentsOf: output).tensors["embeddings"]?.shape == [3, 6])
    }

    /// - Returns: what was said; nothing was written.
    func refusal(_ arguments: [String], _ status: Int32) throws -> String {
        let before = try names()
        let refused = try RunnerProcess.run(arguments)
        #expect(refused.status == status, "\(arguments): \(refused.errors)")
        #expect(refused.text == "")
        #expect(try names() == before)
        return refused.errors
    }

    @Test(arguments: [
        (["--layer", "1", "--neurons", "0"], "layer 1 is the last of 2", "0 to 0"),
        (["--layer", "7", "--neurons", "0"], "no layer 7: the model's are 0 to 1", "0 to 0"),
        (["--layer", "0", "--neurons", "3,12"], "no neuron 12: a layer of this model has 12", "0 to 11"),
        (["--layer", "0", "--neurons", "3,3"], "stands twice", "once"),
        // A shell makes `0..` of `0..<64` without quotes.
        (["--layer", "0", "--neurons", "0.."], "'0..' is no selection", "in quotes"),
        (["--layer", "0", "--neurons", "0", "--limit", "0"], "--limit", "at least 1"),
        (["--layer", "0", "--neurons", "0", "--on-bad-image", "ignore"], "'ignore'", "skip"),
    ])
    func requestsThatTheModelCannotMeet(more: [String], words: String, fix: String) throws {
        let errors = try refusal(arguments("second-order", more), 64)
        #expect(errors.contains(words) && errors.contains(fix), "\(errors)")
    }

    @Test func badPictures() throws {
        try Data("no picture".utf8).write(to: pictures.appendingPathComponent("2.png"))
        #expect(
            try refusal(arguments("images"), 65).contains("/2.png: the picture was not read: not a PNG or JPEG file"))
        let skipped = try RunnerProcess.run(arguments("images", ["--on-bad-image", "skip"]))
        #expect(skipped.status == 0)
        #expect(skipped.errors.contains("warning: 2.png: left out"), "\(skipped.errors)")
        #expect(try SafetensorsFile(contentsOf: output).tensors["embeddings"]?.shape == [4, 6])

        let empty = folder.appendingPathComponent("empty")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
        #expect(try refusal(arguments("images", images: empty), 66).contains("no picture"))
        #expect(try refusal(arguments("images", images: folder.appendingPathComponent("none")), 66).contains("none"))
        #expect(try refusal(arguments("images", images: model.weights), 65).contains("neither a tar nor a zip"))
    }

    @Test func modelsThatAreNone() throws {
        #expect(try refusal(arguments("images", model: folder.path + "/none"), 66).contains("--model"))
        #expect(try refusal(arguments("images", model: pictures.path), 66).contains("has no"))
        #expect(try refusal(arguments("images", model: pictures.path + "/1.png"), 65).contains("no checkpoint"))
    }

    @Test func whatCannotBeWrittenIsSaidBeforeAnyWork() throws {
        // A model and pictures that would be refused too, but later.
        for file in [
            folder.appendingPathComponent("none/out"), pictures, URL(fileURLWithPath: "/dev/null"),
            URL(fileURLWithPath: "/proc/out"),
        ] {
            let errors = try refusal(
                arguments("images", images: folder.appendingPathComponent("x"), model: "x", output: file), 73)
            #expect(errors.contains(file.path + ": cannot be written") && errors.contains("--output"), "\(errors)")
        }
    }

    @Test(.enabled(if: BadInputTests.canRunUnprivileged, "needs root, setpriv and a clone that others may read"))
    func aReadOnlyFolderIsNoPlaceForAFile() throws {
        for path in [folder, pictures, model.url] { #expect(chmod(path.path, 0o755) == 0) }
        let locked = folder.appendingPathComponent("locked")
        try FileManager.default.createDirectory(at: locked, withIntermediateDirectories: true)
        #expect(chmod(locked.path, 0o555) == 0)
        let refused = try BadInputTests.runUnprivileged(
            arguments("images", output: locked.appendingPathComponent("out")))
        #expect(refused.status == 73, "\(refused.errors)")
        #expect(refused.errors.contains("Permission denied"))
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"))
    func aFullDiskIsNamedAndNothingStays() throws {
        let disk = try SmallDisk(at: folder.appendingPathComponent("disk"), mebibytes: 1)
        defer { disk.unmount() }
        try Data(count: 1 << 20 - 16 << 10).write(to: disk.url.appendingPathComponent("filler"))
        let file = disk.url.appendingPathComponent("out")
        let output = try RunnerProcess.run(
            arguments(
                "maps", ["--method", "lrp", "--text", "a", "b", "c", "d"] + Array(repeating: "--text=e", count: 40),
                output: file))
        #expect(output.status == 74, "\(output.errors)")
        #expect(output.errors.contains("No space left") && output.errors.contains("free"), "\(output.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.url.path) == ["filler"])
    }

    /// Ctrl-C, a polite end and a kill: all leave the folder as it was.
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGKILL, SIGKILL)] as [(Int32, Int32)])
    func whateverEndsItNothingStays(number: Int32, status: Int32) throws {
        for index in 5..<4000 {
            #expect(
                link(
                    pictures.appendingPathComponent("1.png").path, pictures.appendingPathComponent("\(index).png").path)
                    == 0)
        }
        try Data("former".utf8).write(to: output)
        let before = try names()
        let texts = (0..<400).flatMap { ["--text", "\($0)"] }
        let running = try RunnerProcess.start(arguments("maps", ["--method", "chefer-2021", "--jobs", "1"] + texts))
        usleep(1_500_000)
        #expect(running.process.isRunning)
        kill(running.process.processIdentifier, number)
        let ended = try running.wait()
        #expect(ended.status == status, "\(ended.errors)")
        if number != SIGKILL { #expect(ended.errors.contains("nothing was written"), "\(ended.errors)") }
        #expect(try names() == before)
        #expect(try String(contentsOf: output, encoding: .utf8) == "former")
    }
}
