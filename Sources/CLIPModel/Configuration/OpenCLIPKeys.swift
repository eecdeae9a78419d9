/// The keys that one object of OpenCLIP's configuration may have.
struct OpenCLIPKeys: Sendable {
    /// Keys that are read.
    let read: Set<String>
    /// Keys that change no number of a trained model.
    let withoutEffect: Set<String>
    /// Keys of architectures that are not CLIP's own, with the values that leave it as it is. `null` always does.
    let neutral: [String: [JSONValue]]

    /// - Throws: ``ConfigurationError/unsupportedKey`` for the first key, by name, that is of none of these kinds.
    func check(_ section: ConfigurationSection) throws(ConfigurationError) {
        for key in section.keys where !read.contains(key) && !withoutEffect.contains(key) {
            guard let value = section[key], let allowed = neutral[key], value == .null || allowed.contains(value) else {
                throw section.unsupported(key)
            }
        }
    }

    static let model = OpenCLIPKeys(
        read: ["embed_dim", "vision_cfg", "text_cfg", "quick_gelu"],
        // Where the logits' scale begins in training, how it is stored, and whether the text tower is a module of
        // its own, which the names of the weights show.
        withoutEffect: ["custom_text", "init_logit_scale", "nonscalar_logit_scale", "cast_dtype", "output_dict"],
        neutral: ["init_logit_bias": [], "multimodal_cfg": []])

    static let imageTower = OpenCLIPKeys(
        read: ["image_size", "patch_size", "width", "layers", "head_width", "mlp_ratio", "norm_kwargs"],
        // Dropout of patches is for training; the sizes of a pooler and the settings of timm mean nothing without
        // one; fixed positions are stored like learned ones; a norm of one token is the same before and after
        // that token is picked.
        withoutEffect: [
            "patch_dropout", "output_tokens", "attn_pooler_queries", "attn_pooler_heads", "pos_embed_type",
            "final_ln_after_pool", "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop",
            "timm_drop_path",
        ],
        neutral: blocks.merging([
            "timm_model_name": [], "attentional_pool": [.boolean(false)], "no_ln_pre": [.boolean(false)],
            "pool_type": [.string("tok")],
        ]) { $1 })

    static let textTower = OpenCLIPKeys(
        read: ["context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "norm_kwargs"],
        // The ids of padding and of the end are for other poolings; the rest is for text towers of `transformers`.
        withoutEffect: [
            "pad_id", "eos_id", "output_tokens", "final_ln_after_pool", "hf_model_pretrained", "hf_proj_type",
            "hf_pooler_type",
        ],
        neutral: blocks.merging([
            "hf_model_name": [], "hf_tokenizer_name": [], "tokenizer_mode": [], "tokenizer_kwargs": [.object([:])],
            "embed_cls": [.boolean(false)], "no_causal_mask": [.boolean(false)], "pool_type": [.string("argmax")],
            "proj_type": [.string("linear")], "proj_bias": [.boolean(false)],
        ]) { $1 })

    /// What both towers' transformer blocks can be made to differ in.
    private static let blocks: [String: [JSONValue]] = [
        "ls_init_value": [], "act_kwargs": [.object([:])], "block_type": [.string("default")],
        "qk_norm": [.boolean(false)], "scaled_cosine_attn": [.boolean(false)], "scale_heads": [.boolean(false)],
        "scale_attn_inner": [.boolean(false)], "scale_attn": [.boolean(false)], "scale_fc": [.boolean(false)],
    ]
}
