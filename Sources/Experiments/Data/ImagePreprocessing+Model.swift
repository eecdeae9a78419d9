import CLIPModel
import Inputs

extension ImagePreprocessing {
    /// What brings a picture to the square that a model takes, as the library of the model's format does it.
    /// - Parameter passOrder: whose Pillow's bytes are wanted.
    init(_ model: ModelDescription, passOrder: PassOrder = .pillow13) {
        let preprocessing = model.preprocessing
        let resize: SquareGeometry.Resize =
            switch preprocessing.resize {
            case .none: .none
            case .shortestEdge(let length): .shortestEdge(length)
            case .exact(let size): .exact(width: size.width, height: size.height)
            }
        self.init(
            SquareGeometry(
                size: model.configuration.vision.imageSize, resize: resize,
                centring: model.format == .huggingFace ? .transformers : .torchvision),
            filter: ResamplingFilter(preprocessing.resampling), passOrder: passOrder)
    }

    /// A copy that brings the whole picture into a square, whatever its ratio; it resamples in the same way.
    func squashing(to size: Int) -> ImagePreprocessing {
        var squashing = self
        squashing.geometry = SquareGeometry(
            size: size, resize: .exact(width: size, height: size), centring: geometry.centring)
        return squashing
    }

    /// All that decides a byte, for the key of a step.
    var name: String {
        let resize =
            switch geometry.resize {
            case .none: "not resized"
            case .shortestEdge(let length): "shorter side \(length)"
            case .longestEdge(let length): "longer side \(length)"
            case .exact(let width, let height): "\(width)×\(height)"
            }
        return
            "\(resize), middle \(geometry.size) as \(geometry.centring.rawValue), \(filter), \(passOrder.rawValue), border \(fill)"
    }
}

extension ResamplingFilter {
    init(_ resampling: PreprocessingConfiguration.Resampling) {
        switch resampling {
        case .nearest: self = .nearest
        case .lanczos: self = .lanczos
        case .bilinear: self = .bilinear
        case .bicubic: self = .bicubic
        case .box: self = .box
        case .hamming: self = .hamming
        }
    }
}
