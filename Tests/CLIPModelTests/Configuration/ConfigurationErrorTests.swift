import CLIPModel
import Foundation
import TestSupport
import Testing

/// Configurations that must be refused, and how.
@Suite struct ConfigurationErrorTests {
    private func error(_ json: String) throws -> (ConfigurationError?, String) {
        let folder = try TemporaryFolder(["config.json": Data(json.utf8)])
        let path = folder.path("config.json")
        do throws(ConfigurationError) {
            _ = try CLIPConfiguration(folder: folder.url)
            return (nil, path)
        } catch {
            return (error, path)
        }
    }

    private func preprocessorError(
        _ json: String, imageSize: Int = 224
    ) throws -> (ConfigurationError?, String) {
        let folder = try TemporaryFolder(["preprocessor_config.json": Data(json.utf8)])
        let path = folder.path("preprocessor_config.json")
        do throws(ConfigurationError) {
            _ = try PreprocessingConfiguration(folder: folder.url, imageSize: imageSize)
            return (nil, path)
        } catch {
            return (error, path)
        }
    }

    @Test func missingFiles() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ConfigurationError.missingFile(path: folder.path("config.json"))) {
            try CLIPConfiguration(folder: folder.url)
        }
        let path = folder.path("preprocessor_config.json")
        #expect(throws: ConfigurationError.missingFile(path: path)) {
            try PreprocessingConfiguration(folder: folder.url, imageSize: 224)
        }
    }

    @Test(arguments: [
        "", "{", "[]", "3", "null", "{\"a\": }", "{\"projection_dim\": 1e999}", "\u{0}",
        "{\"a\": NaN}", String(repeating: "[", count: 1_000_000),
        "{\"a\": " + String(repeating: "[", count: 100_000),
    ])
    func whatIsNotAJSONObject(json: String) throws {
        let (error, path) = try error(json)
        guard case .notAJSONObject(path, let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test(
        arguments: [
            (#"{"model_type": "siglip"}"#, "model_type", #""siglip""#, .oneOf(["clip"])),
            (#"{"projection_dim": 0}"#, "projection_dim", "0", .integer(1...16384)),
            (#"{"projection_dim": null}"#, "projection_dim", "null", .integer(1...16384)),
            (#"{"text_config": 3}"#, "text_config", "3", .object),
            (#"{"vision_config_dict": []}"#, "vision_config_dict", "a list of 0", .object),
            (
                #"{"vision_config": {"image_size": 9223372036854775807}}"#,
                "vision_config.image_size", "9223372036854775807", .integer(1...4096)
            ),
            (
                #"{"vision_config": {"image_size": [32, 32]}}"#,
                "vision_config.image_size", "a list of 2", .integer(1...4096)
            ),
            (
                #"{"vision_config": {"patch_size": 0}}"#,
                "vision_config.patch_size", "0", .integer(1...224)
            ),
            (
                #"{"vision_config": {"patch_size": 15}}"#,
                "vision_config.patch_size", "15", .divisor(of: 224)
            ),
            (
                #"{"vision_config": {"image_size": 14}}"#,
                "vision_config.patch_size", "32", .integer(1...14)
            ),
            (
                #"{"vision_config": {"num_attention_heads": 7}}"#,
                "vision_config.num_attention_heads", "7", .divisor(of: 768)
            ),
            (
                #"{"vision_config_dict": {"num_channels": 1}}"#,
                "vision_config_dict.num_channels", "1", .exactly(3)
            ),
            (
                #"{"vision_config": {"layer_norm_eps": 0}}"#,
                "vision_config.layer_norm_eps", "0", .number(1e-30...1)
            ),
            (
                #"{"text_config": {"layer_norm_eps": "1e-5"}}"#,
                "text_config.layer_norm_eps", #""1e-5""#, .number(1e-30...1)
            ),
            (
                #"{"text_config": {"hidden_size": 1e18}}"#,
                "text_config.hidden_size", "1000000000000000000", .integer(1...16384)
            ),
            (
                #"{"text_config": {"hidden_size": true}}"#,
                "text_config.hidden_size", "true", .integer(1...16384)
            ),
            (
                #"{"text_config": {"num_hidden_layers": -1}}"#,
                "text_config.num_hidden_layers", "-1", .integer(1...1024)
            ),
            (
                #"{"text_config": {"num_hidden_layers": 2.5}}"#,
                "text_config.num_hidden_layers", "2.5", .integer(1...1024)
            ),
            (
                #"{"text_config": {"hidden_act": "relu"}}"#,
                "text_config.hidden_act", #""relu""#, .oneOf(["quick_gelu", "gelu"])
            ),
            (
                #"{"text_config": {"max_position_embeddings": 1}}"#,
                "text_config.max_position_embeddings", "1", .integer(2...16384)
            ),
            // The default end token has no row in a smaller vocabulary.
            (
                #"{"text_config": {"vocab_size": 100}}"#,
                "text_config.eos_token_id", "49407", .integer(0...99)
            ),
            (
                #"{"text_config": {"eos_token_id": [49407]}}"#,
                "text_config.eos_token_id", "a list of 1", .integer(0...49407)
            ),
        ] as [(String, String, String, ConfigurationError.Expectation)])
    func invalidValues(
        json: String, key: String, found: String, expected: ConfigurationError.Expectation
    ) throws {
        let (error, path) = try error(json)
        #expect(error == .invalidValue(path: path, key: key, found: found, expected: expected))
    }

    @Test(
        arguments: [
            (#"{"size": "large"}"#, "size", #""large""#, .size),
            (#"{"size": {}}"#, "size", "an object of 0", .size),
            (#"{"size": {"height": 224}}"#, "size", "an object of 1", .size),
            (
                #"{"size": {"shortest_edge": 64, "longest_edge": 99}}"#, "size", "an object of 2",
                .size
            ),
            (#"{"size": {"shortest_edge": 0}}"#, "size.shortest_edge", "0", .integer(1...4096)),
            (#"{"size": -1}"#, "size", "-1", .size),
            (#"{"size": null}"#, "size", "null", .size),
            (#"{"crop_size": null}"#, "crop_size", "null", .size),
            (#"{"crop_size": 336}"#, "crop_size", "336", .exactly(224)),
            (
                #"{"crop_size": {"height": 224, "width": 225}}"#,
                "crop_size", "an object of 2", .exactly(224)
            ),
            (#"{"do_center_crop": false, "size": 224}"#, "size", "224", .exactly(224)),
            (#"{"do_resize": 1}"#, "do_resize", "1", .boolean),
            (#"{"resample": 6}"#, "resample", "6", .integer(0...5)),
            (#"{"rescale_factor": 0}"#, "rescale_factor", "0", .number(1e-6...1)),
            (
                #"{"image_mean": [0, 0]}"#, "image_mean", "a list of 2",
                .numbers(count: 3, -1e6...1e6)
            ),
            (
                #"{"image_std": [1, 0, 1]}"#, "image_std", "a list of 3",
                .numbers(count: 3, 1e-6...1e6)
            ),
            (
                #"{"image_std": [1, 1, 1, "1"]}"#, "image_std", "a list of 4",
                .numbers(count: 3, 1e-6...1e6)
            ),
        ] as [(String, String, String, ConfigurationError.Expectation)])
    func invalidPreprocessing(
        json: String, key: String, found: String, expected: ConfigurationError.Expectation
    ) throws {
        let (error, path) = try preprocessorError(json)
        #expect(error == .invalidValue(path: path, key: key, found: found, expected: expected))
    }

    @Test func preprocessingMayBeLeftOut() throws {
        let folder = try TemporaryFolder([
            "preprocessor_config.json": Data(
                #"{"do_resize": false, "do_rescale": false, "do_normalize": false}"#.utf8)
        ])
        let found = try PreprocessingConfiguration(folder: folder.url, imageSize: 224)
        let expected = PreprocessingConfiguration(
            resize: nil, resampling: .bicubic, crop: .init(height: 224, width: 224),
            rescaleFactor: 1, mean: [0, 0, 0], standardDeviation: [1, 1, 1])
        #expect(found == expected)
    }
}
