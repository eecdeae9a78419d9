import Foundation
import Testing

/// The committed specs of the real worlds, on a model and data sets of the same layout and a small size.
@Suite struct WorldRunTests {
    private static let runnable = [
        "mean-ablation", "sparse-text", "segmentation", "segmentation-aligned", "concept-discovery", "first-order",
        "indirect-effect",
    ]

    @Test(arguments: [("vit-b-32", 12), ("vit-l-14", 24)]) func everyExperimentRuns(world: String, layers: Int) throws {
        let tiny = try TinyWorld(world, layers: layers)
        let arguments = tiny.arguments(Self.runnable)
        let first = try RunnerProcess.run(arguments)
        try #require(first.status == 0, "\(first.errors.suffix(1500))")
        #expect(first.text.contains("Figure 3") && first.text.contains("Table 4") && first.text.contains("Figure 4"))
        // Another model than the paper's, and said so.
        #expect(!first.text.contains("the same in all that decides them"))
        // What the miniature makes smaller, and nothing else: all other settings of the spec are those that the paper's numbers are of.
        let other = ["evaluation", "fit", "model", "significant-images"] + (world == "vit-b-32" ? [] : ["layer"])
        let table1 = try #require(
            first.text.split(separator: "\n").first {
                $0.contains("layer 9, ImageNet validation; not comparable, for another ")
            })
        #expect(
            Set(table1.split(separator: "for another ").last?.dropLast().split(separator: ", ").map(String.init) ?? [])
                == Set(other), "\(table1)")

        let rows = try tiny.result("mean-ablation.csv")
        #expect(rows.contains("imagenet-val/1 of every 33"), "\(rows.prefix(600))")
        #expect(rows.contains("openai-\(world)"))
        // Of 24 layers, the indirect effect of three is measured; the others say why they have none.
        let left = rows.split(whereSeparator: \.isNewline).filter {
            $0.contains("leaves the layer out (indirect-layers)")
        }
        #expect(
            left.count == (world == "vit-l-14" ? 20 : 0)
                && left.allSatisfy { $0.contains(",indirect,") && $0.contains("not_run") })
        let predictions = try tiny.result("mean-ablation-predictions.csv")
        #expect(predictions.contains("imagenet-val/n0") && predictions.contains("/val_n0"))
        #expect(try tiny.result("segmentation-images.csv").contains("imagenet-segmentation/1/n01440764_100"))
        let inputs =
            try JSONSerialization.jsonObject(with: Data(tiny.result("mean-ablation-inputs.json").utf8))
            as? [String: Any]
        let images = inputs?["images"] as? [[String: Any]] ?? []
        #expect(images.map { $0["count"] as? Int } == [50, 30])
        #expect((inputs?["model"] as? [String: Any])?["imageActivationSource"] as? String == "formatDefault")
        #expect((inputs?["templates"] as? [String])?.count == 80 && (inputs?["classes"] as? [String])?.count == 1000)

        // Nothing is computed again, nor when the data come from another folder.
        let data = tiny.folder.appendingPathComponent("elsewhere")
        try FileManager.default.moveItem(at: tiny.folder.appendingPathComponent("data"), to: data)
        let second = try RunnerProcess.run(tiny.arguments(Self.runnable, ["--data", data.path]))
        #expect(second.status == 0, "\(second.errors.suffix(1500))")
        #expect(second.text.components(separatedBy: "Nothing to compute").count - 1 == Self.runnable.count)
        func tables(_ text: String) -> [Substring] {
            text.split(separator: "\n").filter { !$0.hasPrefix("Computed") && !$0.hasPrefix("Nothing") }
        }
        #expect(tables(second.text) == tables(first.text))
    }

    @Test func theAdversarialSearchIsPlanned() throws {
        let tiny = try TinyWorld("vit-b-32", layers: 12)
        let plan = try RunnerProcess.run(["plan"] + tiny.arguments(["adversarial-search"]))
        #expect(plan.status == 0, "\(plan.errors)")
        #expect(plan.text.contains("search-pictures"))
        #expect(!FileManager.default.fileExists(atPath: tiny.results.path))
        try tiny.edit(
            "adversarial-search",
            "kind: command\n  command: [/bin/cat]\n  environment: [HF_HOME, HF_TOKEN, CUDA_VISIBLE_DEVICES, LD_LIBRARY_PATH]\n  timeout: 120\n  first-timeout: 3600",
            "kind: scenes")
        let scenes = try RunnerProcess.run(["plan"] + tiny.arguments(["adversarial-search"]))
        #expect(
            scenes.status == 65 && scenes.errors.contains("only for the scenes of the embedded world"),
            "\(scenes.errors)")
    }

    @Test func badPicturesEndTheRunOrAreListed() throws {
        let tiny = try TinyWorld("vit-b-32", layers: 12)
        try tiny.edit("mean-ablation", "every: 33", "first: 12")
        try tiny.edit("mean-ablation", "indirect-sample: {neurons: 2, images: 20, layers: [8, 9, 10]}\n", "")
        try tiny.edit("mean-ablation", "seed: 0\n", "seed: 0\nlayers: [9]\n")
        try tiny.cutPicture("n01443537")
        let failed = try RunnerProcess.run(tiny.arguments(["mean-ablation"]))
        #expect(failed.status == 65)
        #expect(
            failed.errors.contains("n01443537/val_n01443537.png") && failed.errors.contains("PNG cut at byte"),
            "\(failed.errors)")

        try tiny.edit("mean-ablation", "seed: 0\n", "seed: 0\non-bad-image: skip\n")
        let run = try RunnerProcess.run(tiny.arguments(["mean-ablation"]))
        #expect(run.status == 0, "\(run.errors.suffix(1500))")
        #expect(
            run.errors.contains("1 picture could not be read")
                && run.errors.contains("n01443537/val_n01443537.png: PNG cut"))
        let inputs = try tiny.result("mean-ablation-inputs.json")
        #expect(inputs.contains("n01443537/val_n01443537.png"))
        let predictions = try tiny.result("mean-ablation-predictions.csv")
        #expect(!predictions.contains("n01443537/") && predictions.contains("n01484850/"))
        let rows = try tiny.result("mean-ablation.csv").split(whereSeparator: \.isNewline)
        let header = rows[0].split(separator: ",")
        let skipped = try #require(header.firstIndex(of: "skipped")), n = try #require(header.firstIndex(of: "n"))
        let baseline = try #require(rows.first { $0.contains("baseline") })
        let fields = baseline.split(separator: ",", omittingEmptySubsequences: false)
        #expect(fields[n] == "11" && fields[skipped] == "1", "\(baseline)")
    }

    @Test func whatIsMissingIsNamedWithTheWayToGetIt() throws {
        let tiny = try TinyWorld("vit-b-32", layers: 12)
        try FileManager.default.removeItem(at: tiny.folder.appendingPathComponent("data/imagenet/val"))
        let pictures = try RunnerProcess.run(tiny.arguments(["mean-ablation"]))
        #expect(pictures.status == 66)
        #expect(
            pictures.errors.contains("ILSVRC2012_img_val.tar or val")
                && pictures.errors.contains("runner fetch imagenet-val"), "\(pictures.errors)")
        try FileManager.default.removeItem(at: tiny.folder.appendingPathComponent("data/openai-vit-b-32"))
        let model = try RunnerProcess.run(tiny.arguments(["mean-ablation"]))
        #expect(model.status == 66 && model.errors.contains("openai-vit-b-32"), "\(model.errors)")
        #expect(model.errors.contains("runner fetch openai-vit-b-32"), "\(model.errors)")
    }

    /// The reader's own model and pictures, by their paths.
    @Test func ownModelAndPicturesNeedNoManifestEntry() throws {
        let tiny = try TinyWorld("vit-b-32", layers: 3)
        try FileManager.default.moveItem(
            at: tiny.folder.appendingPathComponent("data/openai-vit-b-32"),
            to: tiny.folder.appendingPathComponent("my-clip"))
        try Data(
            """
            experiment: mean-ablation
            world: mine
            model: ../../my-clip
            image-activation: gelu
            fit: {dataset: class-folders, path: ../../data/imagenet/train, sample: {every: 20}}
            evaluation: {dataset: class-folders, path: ../../data/imagenet/val, sample: {first: 12}}
            class-names: ../../models/prompts/imagenet-classes.txt
            templates: openai-simple-7
            significant-images: 10
            controls: {accuracy-floor: 0}
            """.utf8
        ).write(to: tiny.specs.appendingPathComponent("mine.yaml"))
        let run = try RunnerProcess.run(tiny.arguments(["mine"]))
        #expect(run.status == 0, "\(run.errors.suffix(1500))")
        #expect(try tiny.result("mean-ablation.csv").contains("my-clip"))
        let inputs = try tiny.result("mean-ablation-inputs.json")
        #expect(
            inputs.contains("\"imageActivation\" : \"gelu\"")
                && inputs.contains("\"imageActivationSource\" : \"caller\""), "\(inputs.prefix(300))")
        #expect(try tiny.result("mean-ablation-predictions.csv").contains("val/n01440764/val_n01440764.png,tench"))
        // Names for other classes are refused.
        try tiny.edit("mine", "imagenet-classes.txt", "cifar-10-classes.txt")
        let names = try RunnerProcess.run(tiny.arguments(["mine"]))
        #expect(names.status == 65 && names.errors.contains("10 names, val has 1000 classes"), "\(names.errors)")
    }
}
