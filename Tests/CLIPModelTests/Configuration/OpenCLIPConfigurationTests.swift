@testable import CLIPModel
import Foundation
import TestSupport
import Testing

/// `open_clip_config.json` of models that this engine is not for, and of strangers.
@Suite struct OpenCLIPConfigurationTests {
    /// A configuration with these members beside the needed ones.
    func json(model: String = "", vision: String = "", text: String = "", preprocess: String? = nil) -> String {
        func members(_ first: String, _ more: String) -> String { more.isEmpty ? first : "\(first), \(more)" }
        let needed =
            #""embed_dim": 8, "vision_cfg": {\#(members(#""width": 64"#, vision))}, "text_cfg": {\#(members(#""heads": 8"#, text))}"#
        return
            #"{"model_cfg": {\#(members(needed, model))}\#(preprocess.map { #", "preprocess_cfg": \#($0)"# } ?? "")}"#
    }

    func read(_ json: String) throws -> (StatedConfiguration, PreprocessingConfiguration) {
        let folder = try TemporaryFolder(["open_clip_config.json": Data(json.utf8)])
        let file = try ConfigurationSection(contentsOf: folder.url.appendingPathComponent("open_clip_config.json"))
        let stated = try StatedConfiguration(openCLIP: file)
        return (
            stated, try PreprocessingConfiguration(openCLIP: file, imageSize: stated.configuration.vision.imageSize)
        )
    }

    /// The key that an error names, and whether it is unsupported rather than invalid.
    func refusal(_ json: String) throws -> (key: String, isUnsupported: Bool)? {
        do {
            _ = try read(json)
            return nil
        } catch ConfigurationError.unsupportedKey(_, let key, _) {
            return (key, true)
        } catch ConfigurationError.unsupportedPreprocessing(_, let key, _, _) {
            return (key, true)
        } catch ConfigurationError.invalidValue(_, let key, _, _) {
            return (key, false)
        }
    }

    @Test func defaultsAreOpenCLIPs() throws {
        let (stated, preprocessing) = try read(json())
        #expect(
            stated.configuration
                == CLIPConfiguration(
                    vision: VisionConfiguration(
                        imageSize: 224, patchSize: 16, width: 64, layers: 12, heads: 1, mlpWidth: 256,
                        activation: .gelu,
                        layerNormEpsilon: 1e-5),
                    text: TextConfiguration(
                        vocabularySize: 49408, contextLength: 77, width: 512, layers: 12, heads: 8, mlpWidth: 2048,
                        activation: .gelu, layerNormEpsilon: 1e-5, pooling: .highestToken),
                    embeddingWidth: 8))
        #expect(stated.imageActivationSource == .formatDefault)
        #expect(preprocessing == .openAI(imageSize: 224))
        let said = try read(json(model: #""quick_gelu": false"#)).0
        #expect(said.imageActivationSource == .configurationFile && said.configuration.text.activation == .gelu)
    }

    @Test(arguments: [
        #""timm_model_name": "vit_base_patch16_224""#, #""attentional_pool": true"#, #""attentional_pool": "parallel""#,
        #""no_ln_pre": true"#, #""pool_type": "avg""#, #""ls_init_value": 0.1"#,
        #""act_kwargs": {"approximate": "tanh"}"#,
        #""qk_norm": true"#, #""scale_fc": true"#, #""block_type": "custom""#, #""colour": "blue""#,
    ]) func imageTowersOfOtherKinds(member: String) throws {
        let key = try #require(member.split(separator: "\"").first)
        let found = try #require(try refusal(json(vision: member)))
        #expect(found == ("model_cfg.vision_cfg.\(key)", true))
    }

    @Test(arguments: [
        #""hf_model_name": "roberta-base""#, #""hf_tokenizer_name": "roberta-base""#,
        #""tokenizer_kwargs": {"clean": "x"}"#,
        #""embed_cls": true"#, #""no_causal_mask": true"#, #""pool_type": "eos""#, #""proj_type": "none""#,
        #""proj_bias": true"#, #""colour": "blue""#,
    ]) func textTowersOfOtherKinds(member: String) throws {
        let key = try #require(member.split(separator: "\"").first)
        let found = try #require(try refusal(json(text: member)))
        #expect(found == ("model_cfg.text_cfg.\(key)", true))
    }

    @Test(arguments: [
        (#""init_logit_bias": -10"#, "model_cfg.init_logit_bias"),
        (#""multimodal_cfg": {}"#, "model_cfg.multimodal_cfg"),
        (#""colour": "blue""#, "model_cfg.colour"),
    ]) func modelsOfOtherKinds(member: String, key: String) throws {
        #expect(try #require(try refusal(json(model: member))) == (key, true))
        let norm = try refusal(json(vision: #""norm_kwargs": {"eps": 1e-6, "bias": false}"#))
        #expect(try #require(norm) == ("model_cfg.vision_cfg.norm_kwargs.bias", true))
    }

    /// Keys that say what is so anyway.
    @Test(arguments: [
        #""ls_init_value": null, "timm_model_name": null, "attentional_pool": false, "pool_type": "tok""#,
        #""no_ln_pre": false, "patch_dropout": 0.5, "output_tokens": true, "timm_pool": "avg", "act_kwargs": {}"#,
        #""norm_kwargs": null, "image_size": null, "final_ln_after_pool": true, "block_type": "default""#,
    ]) func keysThatChangeNothing(members: String) throws {
        #expect(try read(json(vision: members)).0.configuration == read(json()).0.configuration)
    }

    @Test(arguments: [
        (#""image_size": [224, 336]"#, "image_size"), (#""image_size": 225"#, "patch_size"),
        (#""image_size": "224""#, "image_size"),
        (#""image_size": [224, 224, 224]"#, "image_size"), (#""patch_size": 0"#, "patch_size"),
        (#""patch_size": 448"#, "patch_size"),
        (#""layers": [3, 4, 6, 3]"#, "layers"), (#""layers": 0"#, "layers"), (#""layers": 1e9"#, "layers"),
        (#""head_width": 0"#, "head_width"), (#""head_width": 128"#, "head_width"),
        (#""head_width": 21"#, "head_width"),
        (#""mlp_ratio": 0"#, "mlp_ratio"), (#""mlp_ratio": 1e300"#, "mlp_ratio"), (#""mlp_ratio": "4""#, "mlp_ratio"),
        (#""norm_kwargs": 3"#, "norm_kwargs"), (#""norm_kwargs": {"eps": 0}"#, "norm_kwargs.eps"),
    ]) func sizesThatCannotBe(member: String, key: String) throws {
        let found = try #require(try refusal(json(vision: member)))
        #expect(found == ("model_cfg.vision_cfg.\(key)", false))
    }

    @Test(arguments: [
        ("{}", "model_cfg"), (#"{"model_cfg": null}"#, "model_cfg"), (#"{"model_cfg": []}"#, "model_cfg"),
        (#"{"model_cfg": {}}"#, "model_cfg.vision_cfg"), (#"{"model_cfg": {"vision_cfg": {}}}"#, "model_cfg.text_cfg"),
        (#"{"model_cfg": {"vision_cfg": {}, "text_cfg": {}}}"#, "model_cfg.embed_dim"),
        (#"{"model_cfg": {"vision_cfg": {}, "text_cfg": {}, "embed_dim": 0}}"#, "model_cfg.embed_dim"),
        (#"{"model_cfg": {"vision_cfg": {}, "text_cfg": {"heads": 7}, "embed_dim": 9}}"#, "model_cfg.text_cfg.heads"),
        (
            #"{"model_cfg": {"vision_cfg": {}, "text_cfg": {}, "embed_dim": 9, "quick_gelu": 1}}"#,
            "model_cfg.quick_gelu"
        ),
    ]) func missingAndInvalidParts(json: String, key: String) throws {
        #expect(try #require(try refusal(json)) == (key, false))
    }

    @Test(arguments: [
        (#"{"mean": [0, 0]}"#, "mean"), (#"{"std": [0, 1, 1]}"#, "std"), (#"{"size": 225}"#, "size"),
        (#"{"mode": "L"}"#, "mode"),
        (#"{"interpolation": "nearest"}"#, "interpolation"), (#"{"resize_mode": "crop"}"#, "resize_mode"),
    ]) func preprocessingThatCannotBe(preprocess: String, key: String) throws {
        #expect(try #require(try refusal(json(preprocess: preprocess))) == ("preprocess_cfg.\(key)", false))
    }

    @Test(arguments: [(#"{"blur": 1}"#, "blur"), (#"{"resize_mode": "longest"}"#, "resize_mode")])
    func preprocessingThatThereIsNot(preprocess: String, key: String) throws {
        #expect(try #require(try refusal(json(preprocess: preprocess))) == ("preprocess_cfg.\(key)", true))
    }

    @Test func preprocessing() throws {
        let said =
            #"{"mean": null, "size": [224, 224], "mode": "RGB", "interpolation": "random", "resize_mode": "shortest", "fill_color": 0}"#
        #expect(try read(json(preprocess: said)).1 == .openAI(imageSize: 224))
        #expect(try read(json(preprocess: "null")).1 == .openAI(imageSize: 224))
        #expect(try read(json(preprocess: #"{"interpolation": "bilinear"}"#)).1.resampling == .bilinear)
    }
}
