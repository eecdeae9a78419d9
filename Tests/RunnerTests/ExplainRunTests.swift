import Foundation
import Inputs
import Safetensors
import TestSupport
import Testing

/// `runner explain` as a user starts it.
@Suite struct ExplainRunTests {
    let folder: URL

    init() throws {
        folder = try RunnerProcess.temporaryFolder()
        var picture = RGBImage(width: 90, height: 60, grey: 120)
        picture.fillDisc(x: 30, y: 30, radius: 20, [220, 30, 30])
        try picture.writePNG(to: picturePath)
    }

    var picturePath: URL { folder.appendingPathComponent("picture.png") }
    var output: URL { folder.appendingPathComponent("made/out") }

    func arguments(_ more: [String], image: URL? = nil, model: String = "models/emoji-clip", output place: URL? = nil) -> [String] {
        ["explain", "--model", model, "--image", (image ?? picturePath).path, "--output", (place ?? output).path] + more
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: output.path).sorted() }

    @Test func mapsOverlaysAndPointsOfOnePicture() throws {
        let run = try RunnerProcess.run(arguments(["--text", "Ship / ../boat", "--text", "dog", "--sentence", "a ship"]))
        try #require(run.status == 0, "\(run.errors)")
        #expect(run.errors == "" && run.text.contains("1-ship-boat.png") && run.text.contains("a ship"))
        #expect(try names() == [
            "1-ship-boat-map.png", "1-ship-boat-points.png", "1-ship-boat.png", "2-dog-map.png", "2-dog-points.png", "2-dog.png",
            "explanation.json", "maps.safetensors", "overview.png", "points.json", "words.png",
        ])
        for name in try names() where name.hasSuffix(".png") {
            let image = try PictureOnDisk(contentsOf: output.appendingPathComponent(name)).image
            if name.first?.isNumber == true { #expect(image.width == 90 && image.height == 60, "\(name)") }
        }
        let maps = try SafetensorsFile(contentsOf: output.appendingPathComponent("maps.safetensors"))
        #expect(maps.tensors["maps"]?.shape == [2, 8, 8])
        let document = try json("explanation.json")
        #expect(document["inputSize"] as? Int == 64 && document["depth"] as? Int == 6 && document["features"] as? String == "single-text")
        #expect((document["templates"] as? [String])?.count == 85)
        #expect((document["wordPieces"] as? [String])?.contains("ship") == true)
        let prompts = try #require(json("points.json")["prompts"] as? [[String: Any]])
        #expect(prompts.map { ($0["texts"] as? [String])?.count } == [1, 1, 2])
        for prompt in prompts {
            let points = try #require(prompt["positive"] as? [[String: Int]])
            #expect(!points.isEmpty && points.allSatisfy { (0..<90).contains($0["x"] ?? -1) && (0..<60).contains($0["y"] ?? -1) })
        }
        // The same command again replaces its files.
        let before = try Data(contentsOf: output.appendingPathComponent("maps.safetensors"))
        let again = try RunnerProcess.run(arguments(["--text", "Ship / ../boat", "--text", "dog", "--sentence", "a ship"]))
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
        Refusal(options: ["--text", "dog", "--features", "among-labels"], words: ["--labels"]),
        Refusal(options: ["--text", "dog", "--features", "plain", "--labels", "l.txt"], words: ["among-labels"]),
        Refusal(options: ["--text", "dog", "--templates", "/nowhere.txt"], status: 66, words: ["/nowhere.txt"]),
    ]

    @Test(arguments: refusals) func whatCannotBeIsSaid(refusal: Refusal) throws {
        let run = try RunnerProcess.run(arguments(refusal.options))
        #expect(run.status == refusal.status, "\(run.errors)")
        for word in refusal.words { #expect(run.errors.contains(word), "'\(word)' is not in: \(run.errors)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { $0 == "picture.png" || $0 == "made" })
        #expect((try? names()) ?? [] == [])
    }

    @Test func badPicturesModelsAndFolders() throws {
        let cut = folder.appendingPathComponent("cut.png")
        try Data(contentsOf: picturePath).prefix(200).write(to: cut)
        let broken = try RunnerProcess.run(arguments(["--text", "dog"], image: cut))
        #expect(broken.status == 65 && broken.errors.contains("cut.png"), "\(broken.errors)")
        let missing = try RunnerProcess.run(arguments(["--text", "dog"], image: folder.appendingPathComponent("no.png")))
        #expect(missing.status == 66 && missing.errors.contains("no.png"), "\(missing.errors)")
        let model = try RunnerProcess.run(arguments(["--text", "dog"], model: "models/no-clip"))
        #expect(model.status == 66 && model.errors.contains("--model"), "\(model.errors)")
        let file = try RunnerProcess.run(arguments(["--text", "dog"], output: picturePath.appendingPathComponent("x")))
        #expect(file.status == 73 && file.errors.contains("--output"), "\(file.errors)")
    }
}
