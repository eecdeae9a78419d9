import Foundation
import Inputs
import Safetensors
import TestSupport
import Testing

/// `runner explain` as a user starts it.
@Suite struct ExplainRunTests {
    let folder: URL

    init() throws {
        folder = try ProcessFolder.make()
        var picture = RGBImage(width: 90, height: 60, grey: 120)
        picture.fillDisc(x: 30, y: 30, radius: 20, [220, 30, 30])
        try picture.writePNG(to: picturePath)
    }

    var picturePath: URL { folder.appendingPathComponent("picture.png") }
    var output: URL { folder.appendingPathComponent("made/out") }

    func arguments(_ more: [String], image: URL? = nil, model: String = "models/emoji-clip", output place: URL? = nil)
        -> [String]
    {
        ["explain", "--model", model, "--image", (image ?? picturePath).path, "--output", (place ?? output).path] + more
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: output.path).sorted() }

    @Test func mapsOverlaysAndPointsOfOnePicture() throws {
        let run = try RunnerProcess.run(
            arguments(["--text", "Ship / ../boat", "--text", "dog", "--sentence", "a ship"]))
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.errors == "" && run.text.contains("1-ship-boat.png") && run.text.contains("a ship"))
        #expect(
            try names() == [
                "1-ship-boat-map.png", "1-ship-boat-points.png", "1-ship-boat.png", "2-dog-map.png", "2-dog-points.png",
                "2-dog.png",
                "explanation.json", "maps.safetensors", "overview.png", "points.json", "words.png",
            ])
        for name in try names() where name.hasSuffix(".png") {
            let image = try PictureOnDisk(contentsOf: output.appendingPathComponent(name)).image
            if name.first?.isNumber == true { #expect(image.width == 90 && image.height == 60, "\(name)") }
        }
        let maps = try SafetensorsFile(contentsOf: output.appendingPathComponent("maps.safetensors"))
        #expect(maps.tensors["maps"]?.shape == [2, 8, 8])
        let document = try json("explanation.json")
        #expect(
            document["inputSize"] as? Int == 64 && document["depth"] as? Int == 6
                && document["features"] as? String == "single-text")
        // Those that the model was trained with.
        #expect((document["templates"] as? [String])?.count == 8)
        #expect((document["files"] as? [String])?.sorted() == (try names()))
        #expect((document["wordPieces"] as? [String])?.contains("ship") == true)
        let prompts = try #require(json("points.json")["prompts"] as? [[String: Any]])
        #expect(prompts.map { ($0["texts"] as? [String])?.count } == [1, 1, 2])
        for prompt in prompts {
            let points = try #require(prompt["positive"] as? [[String: Int]])
            #expect(
                !points.isEmpty
                    && points.allSatisfy { (0..<90).contains($0["x"] ?? -1) && (0..<60).contains($0["y"] ?? -1) })
        }
        // The same command again replaces its files.
        let before = try Data(contentsOf: output.appendingPathComponent("maps.safetensors"))
        let again = try RunnerProcess.run(
            arguments(["--text", "Ship / ../boat", "--text", "dog", "--sentence", "a ship"]))
        #expect(again.status == 0 && again.text == run.text)
        #expect(try Data(contentsOf: output.appendingPathComponent("maps.safetensors")) == before)
    }

    private func json(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: output.appendingPathComponent(name))
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func settingsReachTheMaps() throws {
        let labels = folder.appendingPathComponent("labels.txt")
        try Data("cat\nship\n".utf8).write(to: labels)
        let run = try RunnerProcess.run(
            arguments(["--text", "dog", "--size", "96", "--path", "gem", "--depth", "2", "--labels", labels.path]))
        try #require(run.status == 0, "\(run.errors)")
        let document = try json("explanation.json")
        #expect(document["labels"] as? [String] == ["dog", "cat", "ship"] && document["path"] as? String == "gem")
        #expect(document["depth"] as? Int == 2 && document["inputSize"] as? Int == 96)
        let maps = try SafetensorsFile(contentsOf: output.appendingPathComponent("maps.safetensors"))
        #expect(maps.tensors["maps"]?.shape == [1, 12, 12])
    }

    struct Refusal: Sendable {
        let options: [String]
        var status: Int32 = 64
        let words: [String]
    }

    private static let refusals = [
        Refusal(options: ["--text", "dog", "--size", "70"], words: ["70 pixels", "patches of 8", "choose 64 or 72"]),
        Refusal(options: ["--text", "dog", "--depth", "7"], words: ["--depth 7", "6 blocks"]),
        Refusal(options: [], words: ["--text"]), Refusal(options: ["--text", " "], words: ["words"]),
        Refusal(options: ["--text", "dog", "--text", "dog", "--features", "among-labels"], words: ["--labels"]),
        Refusal(options: ["--text", "dog", "--path", "naclip", "--depth", "2"], words: ["--depth", "naclip"]),
        Refusal(options: ["--sentence", "dog", "--labels", "l.txt"], words: ["--text"]),
        Refusal(options: (0...100).flatMap { ["--text", "\($0)"] }, words: ["100 texts"]),
        Refusal(options: ["--text", "dog", "--features", "plain", "--labels", "l.txt"], words: ["among-labels"]),
        Refusal(options: ["--text", "dog", "--templates", "/nowhere.txt"], status: 66, words: ["/nowhere.txt"]),
    ]

    @Test(arguments: refusals) func whatCannotBeIsSaid(refusal: Refusal) throws {
        let run = try RunnerProcess.run(arguments(refusal.options))
        #expect(run.status == refusal.status, "\(run.errors)")
        for word in refusal.words { #expect(run.errors.contains(word), "'\(word)' is not in: \(run.errors)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["picture.png"])
    }

    @Test func anEarlierExplanationGoesAndNothingElse() throws {
        let first = try RunnerProcess.run(arguments(["--text", "dog", "--text", "cat", "--sentence", "a cat"]))
        try #require(first.status == 0, "\(first.errors)")
        try Data("mine".utf8).write(to: output.appendingPathComponent("3-mine.png"))
        // A list that somebody has changed does not lead elsewhere.
        let document = output.appendingPathComponent("explanation.json")
        let text = try String(contentsOf: document, encoding: .utf8).replacing(
            "\"2-cat.png\"", with: "\"2-cat.png\", \"../../picture.png\", \"notes.txt\"")
        try Data(text.utf8).write(to: document)
        try Data("mine".utf8).write(to: output.appendingPathComponent("notes.txt"))
        let second = try RunnerProcess.run(arguments(["--text", "ship"]))
        try #require(second.status == 0, "\(second.errors)")
        #expect(
            try names() == [
                "1-ship-map.png", "1-ship-points.png", "1-ship.png", "3-mine.png", "explanation.json",
                "maps.safetensors", "notes.txt",
                "overview.png", "points.json",
            ])
        #expect(FileManager.default.fileExists(atPath: picturePath.path))
    }

    @Test func longTextsAreCutWithAWarningAndNamesFit() throws {
        let long = String(repeating: "नमस्ते dog ", count: 40)
        let run = try RunnerProcess.run(arguments(["--text", long]))
        #expect(run.status == 0 && run.errors.contains("warning:") && run.errors.contains("32"), "\(run.errors)")
        #expect(try names().allSatisfy { $0.utf8.count < 100 })
        let line = try #require(run.text.split(separator: "\n").last)
        #expect(line.count < 200)
    }

    @Test func badPicturesModelsAndFolders() throws {
        for option in ["--model", "--image", "--output"] {
            var empty = arguments(["--text", "dog"])
            empty[try #require(empty.firstIndex(of: option)) + 1] = ""
            let refused = try RunnerProcess.run(empty)
            #expect(refused.status == 64 && refused.errors.contains(option), "\(refused.errors)")
        }
        let cut = folder.appendingPathComponent("cut.png")
        try Data(contentsOf: picturePath).prefix(200).write(to: cut)
        let broken = try RunnerProcess.run(arguments(["--text", "dog"], image: cut))
        #expect(broken.status == 65 && broken.errors.contains("cut.png"), "\(broken.errors)")
        let missing = try RunnerProcess.run(
            arguments(["--text", "dog"], image: folder.appendingPathComponent("no.png")))
        #expect(missing.status == 66 && missing.errors.contains("no.png"), "\(missing.errors)")
        let model = try RunnerProcess.run(arguments(["--text", "dog"], model: "models/no-clip"))
        #expect(model.status == 66 && model.errors.contains("--model"), "\(model.errors)")
        let file = try RunnerProcess.run(arguments(["--text", "dog"], output: picturePath.appendingPathComponent("x")))
        let unlike = try RunnerProcess.run(arguments(["--text", "dog"], image: folder))
        #expect(unlike.status == 65 && unlike.errors.contains("--image"), "\(unlike.errors)")
        #expect(file.status == 73 && file.errors.contains("--output"), "\(file.errors)")
    }
}
