import CLIPModel
import DenseMath
import Foundation
import Inputs
import Lens
import Synchronization

/// A value that is expensive to make, made by whoever asks first and then shared: a run in which no
/// step has to be computed never makes it.
public final class Shared<Value: Sendable>: Sendable {
    private let make: @Sendable () throws -> Value
    private let made = Mutex<Value?>(nil)

    public init(_ make: @escaping @Sendable () throws -> Value) { self.make = make }

    /// - Throws: what making the value throws; the next call tries again.
    public func value() throws -> Value {
        // Held while making, so that workers wait for one value instead of making their own.
        try made.withLock { made in
            if let made { return made }
            let value = try make()
            made = value
            return value
        }
    }
}

/// A file that whoever asks first reads for all.
struct SharedFile<Contents: Sendable>: Sendable {
    let url: URL
    private let shared: Shared<Contents>

    init(_ url: URL, read: @escaping @Sendable (URL) throws -> Contents) {
        self.url = url
        shared = Shared { try read(url) }
    }

    /// - Throws: what reading the file throws.
    func contents() throws -> Contents { try shared.value() }
}

typealias SharedCompositor = Shared<SceneCompositor>

extension Shared where Value == SceneCompositor {
    convenience init(sources: EmojiSources, recipe: SceneRecipe, seed: UInt64) {
        self.init { try SceneCompositor(sources: sources, recipe: recipe, seed: seed) }
    }
}
