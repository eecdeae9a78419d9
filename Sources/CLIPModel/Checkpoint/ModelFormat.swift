/// Who wrote a model's files, and so what their parameters are called and where the architecture stands.
public enum ModelFormat: String, Codable, Sendable {
    /// `config.json`, `preprocessor_config.json` and `model.safetensors` (or shards with an index, or
    /// `pytorch_model.bin`), as `transformers` saves a `CLIPModel`.
    case huggingFace
    /// `open_clip_config.json` and `open_clip_model.safetensors` (or `open_clip_pytorch_model.bin`), as OpenCLIP
    /// saves a model for the Hub.
    case openCLIP
    /// One file, such as `ViT-B-32.pt`, as OpenAI publishes its models.
    case openAI
}
