/// One picture to be made.
public struct PictureRequest: Sendable, Codable, Hashable {
    /// Names the picture among those of a search.
    public var id: String
    public var prompt: PictureDescription
    /// The class that the picture shows, c₁.
    public var shown: String
    /// The class that it must not show, c₂.
    public var forbidden: String
    public var seed: UInt64
    /// Width and height in pixels.
    public var size: Int

    public init(id: String, prompt: PictureDescription, shown: String, forbidden: String, seed: UInt64, size: Int) {
        self.id = id
        self.prompt = prompt
        self.shown = shown
        self.forbidden = forbidden
        self.seed = seed
        self.size = size
    }
}

/// Why there is no picture. Facts only; `runner` makes the words.
public enum PictureFailure: Error, Equatable, Sendable, Codable {
    case timedOut(seconds: Double)
    /// The program ended; `message` is the end of what it wrote to standard error, a negative status the
    /// number of the signal that ended it.
    case exited(status: Int32, message: String)
    /// The program says that it could not make this picture.
    case reported(message: String)
    case notWritten
    case notAPicture(reason: String)
    /// Width and height found.
    case wrongSize(found: [Int], expected: Int)
    case notStarted(reason: String)
    /// Nobody waits for the picture any more.
    case cancelled
}

extension PictureFailure {
    /// A line for a list of pictures.
    public var summary: String {
        switch self {
        case .timedOut(let seconds): "no picture within \(seconds) s"
        case .exited(let status, let message): "the program ended with status \(status): \(message)"
        case .reported(let message): "the program says: \(message)"
        case .notWritten: "no file was written"
        case .notAPicture(let reason): "no picture: \(reason)"
        case .wrongSize(let found, let expected):
            "\(found.map(String.init).joined(separator: "×")) pixels instead of \(expected)×\(expected)"
        case .notStarted(let reason): "the program was not started: \(reason)"
        case .cancelled: "cancelled"
        }
    }
}

/// A picture and what its generator knows of it.
public struct GeneratedPicture: Sendable, Equatable {
    public var image: RGBImage
    /// Names of what was placed beside the shown class; empty where the generator does not know.
    public var objects: [String]

    public init(image: RGBImage, objects: [String] = []) {
        self.image = image
        self.objects = objects
    }
}

/// Makes pictures from descriptions: the place of the diffusion model in the paper's pipeline
/// (arXiv 2406.04341, section 5.1).
public protocol PictureGenerator: Sendable {
    /// Everything that decides its pictures, for the key of a step.
    var identity: [String: String] { get }

    /// Looks whether there can be pictures of the one class without the other, before any is asked for.
    /// - Throws: ``SearchError/contradictoryRequest(shown:forbidden:)``, ``SearchError/unknownConcept(name:)``.
    func check(shown: String, forbidden: String) throws

    /// One outcome for each request, in order. A failure costs only its own picture.
    /// - Parameter isCancelled: asked before each picture and while one is waited for; from then on every
    ///   outcome is ``PictureFailure/cancelled``.
    /// - Throws: ``SearchError`` when no picture of these requests can be made at all.
    func pictures(
        _ requests: [PictureRequest], isCancelled: @Sendable () -> Bool
    ) throws -> [Result<GeneratedPicture, PictureFailure>]
}

extension PictureGenerator {
    /// Knows the words only: a hot dog cannot be without a dog.
    public func check(shown: String, forbidden: String) throws {
        guard !Wording.mentions(shown, forbidden) else {
            throw SearchError.contradictoryRequest(shown: shown, forbidden: forbidden)
        }
    }
}
