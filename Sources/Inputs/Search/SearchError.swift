/// What can go wrong when descriptions or pictures are asked for. Facts only; `runner` makes the words.
public enum SearchError: Error, Equatable, Sendable {
    /// Not an http or https address, or one that holds a password or a query.
    case unsupportedURL(String)
    /// An http address of another machine.
    case insecureURL(String)
    /// The environment variable that should hold the API key is not set, or holds no usable key.
    case missingKey(variable: String)
    case settingOutOfRange(name: String, value: Double, allowed: ClosedRange<Double>)
    case unreachable(url: String, reason: String)
    case timedOut(url: String, seconds: Double)
    /// Nobody waits for the answer any more.
    case cancelled
    /// `body`: the first 200 characters of what the server said.
    case httpStatus(url: String, code: Int, body: String)
    case replyTooLarge(url: String, limit: Int)
    case notJSON(url: String, body: String)
    case noChoices(url: String)
    case tooFewDescriptions(accepted: Int, wanted: Int)
    /// No picture can show the one without the other, such as a hot dog and no dog.
    case contradictoryRequest(shown: String, forbidden: String)
    /// The built-in pictures show the concepts of the emoji world only.
    case unknownConcept(name: String)
    /// A command without a program, or with a zero byte.
    case unusableCommand([String])
    /// The program of a command is not on the search path, or cannot be started.
    case programNotFound(String)
    case folderNotMade(path: String, errno: Int32)
}
