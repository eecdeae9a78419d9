import Foundation

/// Everything that decides how a scene looks, given its seed. Part of a data set's identity.
///
/// Angles are given as the tangent of half the angle, because cosine and sine follow from it by
/// arithmetic that IEEE 754 fixes to the last bit, while the C library's `sin` differs between machines.
public struct SceneRecipe: Codable, Hashable, Sendable {
    /// Width and height of a scene in pixels.
    public var imageSize = 64
    /// Width of the main object as a share of the scene's.
    public var mainScale = 0.40...0.95
    /// Probability that a scene has a second, smaller object.
    public var secondObjectProbability = 0.5
    /// Width of the second object as a share of the scene's; at most 0.8 of the main object's.
    public var secondScale = 0.30...0.60
    /// tan(θ/2) of the largest rotation of an object; 0.177 is 0.35 rad.
    public var rotation = 0.177
    /// Each colour channel of an object is multiplied by 1 ± this.
    public var channelGain = 0.2
    /// tan(θ/2) of the largest turn of an object's colours about the grey axis.
    public var hueTurn = 0.0
    /// Probability that an object has no colours.
    public var greyProbability = 0.0
    /// Largest number of fragments of other objects that are strewn over the background.
    public var clutter = 4

    public init() {}

    /// Decoding refuses nothing that is left out: a missing key keeps its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        imageSize = try container.decodeIfPresent(Int.self, forKey: .imageSize) ?? imageSize
        mainScale = try container.decodeIfPresent(ClosedRange<Double>.self, forKey: .mainScale) ?? mainScale
        secondObjectProbability =
            try container.decodeIfPresent(Double.self, forKey: .secondObjectProbability) ?? secondObjectProbability
        secondScale = try container.decodeIfPresent(ClosedRange<Double>.self, forKey: .secondScale) ?? secondScale
        rotation = try container.decodeIfPresent(Double.self, forKey: .rotation) ?? rotation
        channelGain = try container.decodeIfPresent(Double.self, forKey: .channelGain) ?? channelGain
        hueTurn = try container.decodeIfPresent(Double.self, forKey: .hueTurn) ?? hueTurn
        greyProbability = try container.decodeIfPresent(Double.self, forKey: .greyProbability) ?? greyProbability
        clutter = try container.decodeIfPresent(Int.self, forKey: .clutter) ?? clutter
    }
}

extension SceneRecipe {
    /// Reads the keys that differ from the defaults from a JSON file.
    /// - Throws: ``InputError`` when the file is missing or malformed.
    public init(contentsOf url: URL) throws {
        guard let data = try? Data(contentsOf: url) else {
            throw InputError.missingFile(path: url.path, purpose: "the scene recipe")
        }
        do {
            self = try JSONDecoder().decode(SceneRecipe.self, from: data)
        } catch {
            throw InputError.malformedFile(path: url.path, place: "top level", expected: "a JSON object with keys of the scene recipe")
        }
    }
}
