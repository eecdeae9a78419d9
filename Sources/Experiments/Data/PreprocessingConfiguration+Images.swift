import CLIPModel
import Inputs

extension ImagePreprocessing {
    /// As a model's files ask for it.
    /// - Parameter size: pixels a side of the model's input.
    init(_ configuration: PreprocessingConfiguration, size: Int, format: ModelFormat, passOrder: PassOrder) {
        let resize: SquareGeometry.Resize =
            switch configuration.resize {
            case nil: .none
            case .shortestEdge(let length): .shortestEdge(length)
            case .exact(let size): .exact(width: size.width, height: size.height)
            }
        self.init(
            SquareGeometry(size: size, resize: resize, centring: format == .huggingFace ? .transformers : .torchvision),
            filter: ResamplingFilter(configuration.resampling), passOrder: passOrder)
    }
}

extension ImagePreprocessing {
    /// All that decides a byte, for the key of a step.
    var name: String {
        let resize =
            switch geometry.resize {
            case .none: "not resized"
            case .shortestEdge(let length): "shorter side \(length)"
            case .longestEdge(let length): "longer side \(length)"
            case .exact(let width, let height): "\(width)×\(height)"
            }
        return "\(resize), middle \(geometry.size) as \(geometry.centring.rawValue), \(filter), \(passOrder.rawValue), border \(fill)"
    }
}

extension ResamplingFilter {
    fileprivate init(_ resampling: PreprocessingConfiguration.Resampling) {
        self =
            switch resampling {
            case .nearest: .nearest
            case .lanczos: .lanczos
            case .bilinear: .bilinear
            case .bicubic: .bicubic
            case .box: .box
            case .hamming: .hamming
            }
    }
}
