import Foundation

/// Pillow's filters, by its numbers.
public enum ResamplingFilter: Int, CaseIterable, Sendable {
    case nearest, lanczos, bilinear, bicubic, box, hamming

    /// Half the width of the filter in source pixels, when nothing is made smaller.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The weight of a pixel `x` from the centre. The order of the operations is Pillow's: it decides the
    /// last bit and so, now and then, a weight in fixed point.
    func weight(_ x: Double) -> Double {
        switch self {
        case .nearest: 0
        case .box: x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: max(0, 1 - abs(x))
        case .bicubic: Self.cubic(abs(x))
        case .lanczos: x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
        case .hamming: Self.hamming(abs(x))
        }
    }

    /// Keys' cubic convolution with a = −½.
    private static func cubic(_ x: Double) -> Double {
        let a = -0.5
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }

    private static func hamming(_ x: Double) -> Double {
        if x == 0 { return 1 }
        if x >= 1 { return 0 }
        let angle = x * Double.pi
        return sin(angle) / angle * (0.54 + 0.46 * cos(angle))
    }

    private static func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * Double.pi) / (x * Double.pi)
    }
}
