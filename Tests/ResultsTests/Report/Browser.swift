import Foundation
import TestSupport
import Testing

/// Chromium without a window, driven through its DevTools protocol over two named pipes: JSON messages, each ended by a
/// zero byte.
final class Browser {
    /// The first of its names on the path.
    static let executable: URL? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return ["chromium", "chromium-browser", "google-chrome"].lazy.flatMap { name in
            path.split(separator: ":").lazy.map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
        }.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()

    static let missing = Comment("there is no Chromium (scripts/bootstrap.sh --all-tests installs it)")

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let folder: TemporaryFolder
    private let input: Int32
    private let output: Int32
    private var received = Data()
    private var lastID = 0
    private var session: String?
    /// Exceptions, failed requests and whatever the page wrote to its console.
    private(set) var problems: [String] = []
    private var isLoaded = false

    /// - Parameter executable: Chromium.
    init(_ executable: URL) throws {
        folder = try TemporaryFolder()
        let (toBrowser, fromBrowser) = (folder.file("in").path, folder.file("out").path)
        guard mkfifo(toBrowser, 0o600) == 0, mkfifo(fromBrowser, 0o600) == 0 else {
            throw Failure(description: "no named pipes")
        }
        // Open for both directions: nobody waits for the other side, and none is killed by its end.
        input = open(toBrowser, O_RDWR | O_CLOEXEC)
        output = open(fromBrowser, O_RDWR | O_CLOEXEC)
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments =
            ["-c", "exec \"$0\" \"$@\" 3<\"$PIPES/in\" 4>\"$PIPES/out\"", executable.path]
            + [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                "--remote-debugging-pipe",
            ]
            + ["--user-data-dir=\(folder.file("profile").path)"]
        process.environment = ProcessInfo.processInfo.environment.merging(["PIPES": folder.url.path]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let target = try string("targetId", in: command("Target.createTarget", ["url": "about:blank"]))
        session = try string("sessionId", in: command("Target.attachToTarget", ["targetId": target, "flatten": true]))
        for domain in ["Page", "Runtime", "Log"] { try command("\(domain).enable") }
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        close(input)
        close(output)
    }

    // MARK: Protocol

    private func string(_ name: String, in result: [String: Any]) throws -> String {
        guard let text = result[name] as? String else { throw Failure(description: "no \(name) in \(result)") }
        return text
    }

    @discardableResult
    private func command(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        lastID += 1
        var message: [String: Any] = ["id": lastID, "method": method, "params": parameters]
        message["sessionId"] = session
        try send(JSONSerialization.data(withJSONObject: message) + [0])
        while true {
            let answer = try next()
            guard answer["id"] as? Int == lastID else { continue }
            if let error = answer["error"] { throw Failure(description: "\(method): \(error)") }
            return answer["result"] as? [String: Any] ?? [:]
        }
    }

    private func send(_ data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(input, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { throw Failure(description: "the browser does not listen") }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// The next message, noted if it tells of a problem.
    private func next() throws -> [String: Any] {
        while true {
            if let end = received.firstIndex(of: 0) {
                let message = try JSONSerialization.jsonObject(with: received[..<end]) as? [String: Any] ?? [:]
                received = Data(received[(end + 1)...])
                note(message)
                return message
            }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 60_000) > 0 else { throw Failure(description: "the browser does not answer") }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { throw Failure(description: "the browser has ended") }
            received.append(contentsOf: buffer[..<count])
        }
    }

    private func note(_ message: [String: Any]) {
        switch message["method"] as? String {
        case "Page.loadEventFired": isLoaded = true
        case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
            problems.append("\(message["params"] ?? "")")
        default: break
        }
    }

    // MARK: Page

    /// Opens a page in a window of this many CSS pixels and waits until it is loaded.
    func load(_ url: URL, fragment: String = "", width: Int = 1200, height: Int = 900, isDark: Bool = false) throws {
        try command(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500])
        try command(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
        // A fragment alone would not load the page again.
        for address in ["about:blank", url.absoluteString + fragment] {
            isLoaded = false
            try command("Page.navigate", ["url": address])
            while !isLoaded { _ = try next() }
        }
    }

    /// The value of an expression, of a promise when it is kept.
    func evaluate<Value>(_ expression: String, as type: Value.Type = Value.self) throws -> Value {
        let answer = try command(
            "Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        guard let value = (answer["result"] as? [String: Any])?["value"] as? Value else {
            throw Failure(description: "\(expression): \(answer)")
        }
        return value
    }

    func press(_ key: String, code: Int, text: String? = nil) throws {
        var parameters: [String: Any] = ["type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code]
        parameters["text"] = text
        try command("Input.dispatchKeyEvent", parameters)
        try command(
            "Input.dispatchKeyEvent", ["type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code])
    }

    func type(_ text: String) throws { try command("Input.insertText", ["text": text]) }

    /// A PNG file.
    func screenshot() throws -> Data {
        Data(base64Encoded: try string("data", in: command("Page.captureScreenshot", ["format": "png"]))) ?? Data()
    }

    /// A PDF file as a printer would get it.
    func printed() throws -> Data {
        Data(base64Encoded: try string("data", in: command("Page.printToPDF", ["preferCSSPageSize": true]))) ?? Data()
    }
}
