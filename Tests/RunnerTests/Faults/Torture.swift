import Foundation

/// Whether the long sweeps are asked for: `make torture` sets for how many minutes.
enum Torture {
    static let minutes = ProcessInfo.processInfo.environment["CLIP_LENS_TORTURE"].flatMap(Double.init)
    static let isOn = minutes != nil
    /// Repeats the sweep that printed it.
    static let seed =
        ProcessInfo.processInfo.environment["CLIP_LENS_SEED"].flatMap(UInt64.init) ?? .random(in: 0...(.max))
}
