import Foundation
import Foundations
import Synchronization

/// Pictures by a program of the reader's, such as a diffusion model: scripts/serve_pictures.py is one.
///
/// The program is started once, without a shell and with few variables, and told what to make by lines of JSON on its standard
/// input: `{"prompt": …, "seed": …, "output": …, "size": …}`, seeds below 2³². It writes a PNG of
/// size×size pixels to `output` and then a line `{"output": …, "ok": true}`, or `{"output": …, "error":
/// …}`, on its standard output; other lines are ignored. When its standard input ends, it ends.
///
/// A program that is silent too long is killed with its children and started again for the next picture.
public final class CommandGenerator: PictureGenerator {
    /// Starts in a row without a picture after which no other is tried: the first one and three more.
    static let startsWithoutPicture = 4
    /// Seconds that the program gets to end by itself.
    static let grace = 2.0
    static let timeouts = 0.01...86_400.0
    /// Variables that every program gets where they are set: to find what it needs, and to read and write text.
    static let inherited = ["PATH", "HOME", "LANG"]

    public let command: [String]
    /// Further variables that the program gets of this process, where they are set. Others, such as keys for services, are
    /// none of its business.
    public let variables: [String]
    /// Seconds for one picture.
    public let timeout: Double
    /// Seconds for the first picture after a start: the program loads its model.
    public let firstTimeout: Double
    private let folder: URL
    private let state = Mutex(State())

    private struct State {
        var child: ChildProcess?
        var starts = 0
        var pictures = 0
        /// Whether the running program has answered yet.
        var isWarm = false
        /// Why no other start is tried.
        var givenUp: String?
        var lastFailure: PictureFailure?
    }

    /// - Parameters:
    ///   - command: the program and its arguments.
    ///   - variables: names of variables that it gets beside `PATH`, `HOME` and `LANG`, where they are set.
    ///   - firstTimeout: as `timeout` unless it is given.
    ///   - temporaryFolder: where a folder for the pictures is made; it is removed with the generator.
    /// - Throws: ``SearchError/unusableCommand(_:)``, ``SearchError/settingOutOfRange(name:value:allowed:)``,
    ///   ``SearchError/folderNotMade(path:errno:)``.
    public init(
        command: [String], variables: [String] = [], timeout: Double, firstTimeout: Double? = nil,
        temporaryFolder: URL = FileManager.default.temporaryDirectory
    ) throws {
        guard Self.isUsable(command) else { throw SearchError.unusableCommand(command) }
        for seconds in [timeout, firstTimeout ?? timeout] where !Self.timeouts.contains(seconds) {
            throw SearchError.settingOutOfRange(name: "timeout", value: seconds, allowed: Self.timeouts)
        }
        self.command = command
        self.variables = variables
        self.timeout = timeout
        self.firstTimeout = firstTimeout ?? timeout
        folder = temporaryFolder.appendingPathComponent("clip-lens-pictures-\(UUID().uuidString)", isDirectory: true)
        // Nobody else may put a file or a link into it.
        guard mkdir(folder.path, 0o700) == 0 else {
            throw SearchError.folderNotMade(path: folder.path, errno: errno)
        }
    }

    deinit { close() }

    /// Whether there is a program, and no zero byte that would cut a word short.
    private static func isUsable(_ command: [String]) -> Bool {
        command.first?.isEmpty == false && !command.contains { $0.utf8.contains(0) }
    }

    /// The command, if its program can be started: for an error before work begins.
    /// - Throws: `SearchError.programNotFound(_:)`.
    public static func installed(_ command: [String]) throws -> [String] {
        let program = command.first ?? ""
        let folders =
            program.contains("/")
            ? [""]
            : (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin").split(
                separator: ":", omittingEmptySubsequences: false
            ).map { $0.isEmpty ? "./" : "\($0)/" }
        let isThere = folders.contains { folder in
            var isFolder: ObjCBool = false
            return access(folder + program, X_OK) == 0
                && FileManager.default.fileExists(atPath: folder + program, isDirectory: &isFolder)
                && !isFolder.boolValue
        }
        guard isThere else { throw SearchError.programNotFound(program) }
        return command
    }

    /// Ends the program and removes the folder; later pictures fail. Happens by itself with the generator's end.
    public func close() {
        state.withLock { state in
            state.child?.end(grace: Self.grace)
            state.child = nil
            state.givenUp = state.givenUp ?? "closed"
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// The command, and what stands in the files that it names: a changed script makes other pictures.
    /// A model that the command names is known by its name only.
    public var identity: [String: String] {
        let files = command.compactMap { try? RegularFile.contents(of: $0, limit: 16 << 20) }
        return [
            "generator": "command", "version": "1", "command": command.joined(separator: "\u{0}"),
            "files": Digest.sha256(of: files.map { Data(Digest.sha256(of: $0).utf8) }),
        ]
    }

    /// One at a time, also when several threads ask.
    public func pictures(
        _ requests: [PictureRequest], isCancelled: @Sendable () -> Bool = { false }
    ) -> [Result<GeneratedPicture, PictureFailure>] {
        requests.map { request in
            state.withLock { state in
                Result { () throws(PictureFailure) in try picture(request, &state, isCancelled) }
            }
        }
    }

    private func picture(
        _ request: PictureRequest, _ state: inout State, _ isCancelled: @Sendable () -> Bool
    ) throws(PictureFailure) -> GeneratedPicture {
        guard !isCancelled() else { throw .cancelled }
        let child = try running(&state)
        state.pictures += 1
        let output = folder.appendingPathComponent("\(state.pictures).png")
        defer { try? FileManager.default.removeItem(at: output) }
        let seconds = state.isWarm ? timeout : firstTimeout
        switch child.ask(
            line(request, output), seconds: seconds, isCancelled: isCancelled, answer: { Answer($0, to: output.path) }
        ) {
        case .answered(.made):
            state.isWarm = true
            let image = try self.image(output, size: request.size)
            state.starts = 0
            return GeneratedPicture(image: image)
        case .answered(.refused(let message)):
            state.isWarm = true
            throw .reported(message: message)
        case .cancelled:
            // A program that is at work will not see the end of its input before it is done.
            child.end()
            state.child = nil
            throw .cancelled
        case .timedOut:
            child.end()
            throw Self.remembered(.timedOut(seconds: seconds), &state)
        case .ended:
            let status = child.end()
            // A program that ends after a picture without a fault is started for the next one; the one that
            // is started has not answered yet, so that this happens once.
            if status == 0, state.isWarm {
                state.child = nil
                return try picture(request, &state, isCancelled)
            }
            throw Self.remembered(.exited(status: status, message: child.message), &state)
        }
    }

    private static func remembered(_ failure: PictureFailure, _ state: inout State) -> PictureFailure {
        state.child = nil
        state.lastFailure = failure
        return failure
    }

    /// The program, started if it is not there.
    private func running(_ state: inout State) throws(PictureFailure) -> ChildProcess {
        if let child = state.child, !child.hasEnded { return child }
        state.child = nil
        if state.givenUp == nil, state.starts == Self.startsWithoutPicture {
            let last = state.lastFailure.map { "\($0)" } ?? "no picture"
            state.givenUp = "\(state.starts) starts without a picture, the last one: \(last)"
        }
        if let reason = state.givenUp { throw .notStarted(reason: reason) }
        do {
            let names = Set(Self.inherited + variables)
            let child = try ChildProcess(
                command, environment: ProcessInfo.processInfo.environment.filter { names.contains($0.key) })
            state.child = child
            state.starts += 1
            state.isWarm = false
            return child
        } catch {
            let reason = "\(command[0]): \(String(cString: strerror(error.errno)))"
            state.givenUp = reason
            throw .notStarted(reason: reason)
        }
    }

    private func line(_ request: PictureRequest, _ output: URL) -> Data {
        let order: [String: Any] = [
            "prompt": request.prompt.text, "seed": Int(request.seed & 0xFFFF_FFFF), "output": output.path,
            "size": request.size,
        ]
        let line = try? JSONSerialization.data(withJSONObject: order, options: [.sortedKeys, .withoutEscapingSlashes])
        return (line ?? Data("{}".utf8)) + Data("\n".utf8)
    }

    private func image(_ output: URL, size: Int) throws(PictureFailure) -> RGBImage {
        let limit = PixelLimit(side: size)
        do {
            let data = try RegularFile.contents(of: output.path, limit: limit.fileBytes, followsLinks: false)
            guard data.withUnsafeBytes({ PictureFormat($0) }) == .png else {
                throw PictureFailure.notAPicture(reason: "not a PNG file")
            }
            let image = try PictureDecoder.picture(data, limit: limit).image
            guard image.width == size, image.height == size else {
                throw PictureFailure.wrongSize(found: [image.width, image.height], expected: size)
            }
            return image
        } catch let failure as PictureFailure {
            throw failure
        } catch FileFault.missing {
            throw .notWritten
        } catch let fault as FileFault {
            throw .notAPicture(reason: fault.text)
        } catch PictureFault.tooLarge(let width, let height, _) {
            throw .wrongSize(found: [width, height], expected: size)
        } catch let fault as PictureFault {
            throw .notAPicture(reason: fault.text)
        } catch {
            throw .notAPicture(reason: "\(error)")
        }
    }

    /// What the program says of one picture.
    private enum Answer {
        case made
        case refused(message: String)

        /// - Returns: nil for a line that is no answer to this request.
        init?(_ line: Data, to output: String) {
            guard line.first == UInt8(ascii: "{"),
                let object = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any],
                object["output"] as? String == output
            else { return nil }
            if let error = object["error"] as? String {
                self = .refused(message: String(error.prefix(ChildProcess.keptErrors)))
            } else {
                self = object["ok"] as? Bool == true ? .made : .refused(message: "")
            }
        }
    }
}
