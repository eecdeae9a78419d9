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

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case imageSize, mainScale, secondObjectProbability, secondScale, rotation, channelGain, hueTurn
        case greyProbability, clutter
    }

    /// A missing key keeps its default; an unknown one is refused, because a misspelt key would
    /// otherwise make another data set without a word.
    public init(from decoder: any Decoder) throws {
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys
        where CodingKeys(stringValue: key.stringValue) == nil {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath + [key],
                    debugDescription: "one of the keys \(CodingKeys.allCases.map(\.rawValue).joined(separator: ", "))"))
        }
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

    /// Any key of a JSON object.
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension SceneRecipe {
    /// Reads the keys that differ from the defaults from a JSON file.
    /// - Throws: ``InputError`` when the file is missing or malformed or a value is out of range.
    public init(contentsOf url: URL) throws {
        let data = try InputError.contents(of: url, purpose: "the scene recipe")
        do {
            self = try JSONDecoder().decode(SceneRecipe.self, from: data)
        } catch let error as DecodingError {
            throw InputError(error, in: data, path: url.path)
        }
        if let violation {
            throw InputError.malformedFile(path: url.path, place: violation.key, expected: violation.expectation)
        }
    }

    /// The recipe itself, if a scene can be made by it.
    /// - Throws: ``InputError/recipeOutOfRange(key:value:allowed:)``.
    public func validated() throws -> SceneRecipe {
        if let violation {
            throw InputError.recipeOutOfRange(key: violation.key, value: violation.value, allowed: violation.allowed)
        }
        return self
    }

    /// A value with which no scene can be made.
    struct Violation {
        let key: String
        let value: Double
        let allowed: ClosedRange<Double>

        var expectation: String {
            "a number from \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
        }
    }

    /// The first value that is out of range, NaN included.
    var violation: Violation? {
        // A turn by half a circle has no half-angle tangent; 1000 is short of it by a tenth of a degree.
        let turns = 0.0...1000.0
        let shares = 0.0...1.0
        // Under a hundredth of a scene an object is less than a pixel.
        let scales = 0.01...1.0
        let values: [(CodingKeys, Double, ClosedRange<Double>)] = [
            // A background needs two pixels to interpolate between; a larger one only needs memory.
            (.imageSize, Double(imageSize), 8...1024),
            (.mainScale, mainScale.lowerBound, scales), (.mainScale, mainScale.upperBound, scales),
            (.secondObjectProbability, secondObjectProbability, shares),
            (.secondScale, secondScale.lowerBound, scales), (.secondScale, secondScale.upperBound, scales),
            (.rotation, rotation, turns), (.channelGain, channelGain, shares), (.hueTurn, hueTurn, turns),
            (.greyProbability, greyProbability, shares), (.clutter, Double(clutter), 0...1000),
        ]
        return values.lazy.filter { !$0.2.contains($0.1) }.first
            .map { Violation(key: $0.0.rawValue, value: $0.1, allowed: $0.2) }
    }
}
