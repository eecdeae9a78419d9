import Foundation
import Inputs
import TestSupport
import Testing

/// What a plan states of memory against what the kernel counted, for a tower whose buffers outweigh the program.
@Suite(.serialized) struct MemoryRunTests {
    /// A ViT-S/32 with random weights, forty pictures in two classes, a study of all layers.
    @Test func stepsTakeWhatThePlanStates() throws {
        let folder = try TemporaryFolder()
        let model = try TinyModelFolder()
        defer { try? FileManager.default.removeItem(at: model.url) }
        try model.write(
            "config.json",
            """
            {"model_type": "clip", "projection_dim": 256,
             "text_config": {"vocab_size": 514, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
                             "intermediate_size": 12, "max_position_embeddings": 77, "eos_token_id": 513},
             "vision_config": {"image_size": 224, "patch_size": 32, "hidden_size": 384, "num_hidden_layers": 12,
                               "num_attention_heads": 6, "intermediate_size": 1536}}
            """)
        try model.write("preprocessor_config.json", #"{"size": {"shortest_edge": 224}, "crop_size": 224}"#)
        try model.writeWeights()
        for index in 0..<40 {
            let place = folder.url.appendingPathComponent("pictures/\(index % 2 == 0 ? "a" : "b")")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try RGBImage(width: 30 + index, height: 40, grey: UInt8(6 * index)).writePNG(
                to: place.appendingPathComponent("\(index).png"))
        }
        let spec = folder.url.appendingPathComponent("study.yaml")
        try Data(
            """
            experiment: mean-ablation
            world: own
            model: \(model.url.path)
            fit: {dataset: class-folders, path: pictures}
            evaluation: {dataset: class-folders, path: pictures}
            templates: openai-simple-7
            significant-images: 20
            indirect-sample: {neurons: 4, images: 10, layers: [9]}
            controls: {accuracy-floor: 0}

            """.utf8
        ).write(to: spec)
        let results = folder.url.appendingPathComponent("results")
        // Images of the fit set are evaluated: numbers that must not be trusted, and memory all the same.
        let run = try RunnerProcess.run(["--spec", spec.path, "--results", results.path, "--jobs", "2", "--profile"])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.text.contains("What the plan stated"))
        let lines = try String(contentsOf: results.appendingPathComponent("profile-steps.csv"), encoding: .utf8)
            .split(separator: "\r\n").dropFirst()
        var compared: [String] = []
        for line in lines {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard let stated = Double(fields[3]) else { continue }
            let peak = try #require(Double(fields[4]))
            compared.append(String(fields[0]))
            // What is stated for one large picture, which none of these is.
            let reserve = fields[0] == "pictures (pictures)" ? Double(100 << 20) : 0
            let share = (stated - reserve) / peak
            #expect(abs(share - 1) < 0.25, "\(fields[0]): \(share) of the \(peak) bytes that it took")
        }
        #expect(
            Set(compared).isSuperset(of: ["effect-means", "largest-effects", "ablation-predictions"]), "\(compared)")
    }
}
