import DenseMath

/// A model as its files describe it: what is known before a weight is read.
public struct ModelDescription: Equatable, Sendable {
    public let format: ModelFormat
    /// The file of weights, or the index of its shards.
    public let weightsPath: String
    public let configuration: CLIPConfiguration
    public let preprocessing: PreprocessingConfiguration
    /// Who decided the non-linearity of the image tower.
    public let imageActivationSource: ActivationSource
    /// Who decided the non-linearity of the text tower.
    public let textActivationSource: ActivationSource
}
