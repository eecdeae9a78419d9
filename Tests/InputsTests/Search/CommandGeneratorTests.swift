import Foundation
import Foundations
@testable import Inputs
import TestSupport
import Testing

/// Programs that make pictures, and programs that do everything else. One after the other: they are timed.
@Suite(.serialized) struct CommandGeneratorTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // MARK: Programs

    /// A generator over a shell script. `$line` holds the request, `$output` the path of the picture,
    /// `$small` a PNG of 8×8 pixels, `$number` counts the requests of this start, `$starts` the starts.
    func generator(
        _ script: String, timeout: Double = 20, firstTimeout: Double? = nil, before: String = "", after: String = ""
    ) throws -> CommandGenerator {
        let small = folder.url.appendingPathComponent("small.png")
        try picture(8).writePNG(to: small)
        let text = """
            #!/bin/sh
            folder='\(folder.url.path)'
            small='\(small.path)'
            echo $$ >> "$folder/pids"
            starts=$(wc -l < "$folder/pids")
            number=0
            ok() { printf '{"output": "%s", "ok": true}\\n' "$output"; }
            \(before)
            while IFS= read -r line; do
            number=$((number + 1))
            output=$(printf '%s' "$line" | sed 's/.*"output":"\\([^"]*\\)".*/\\1/')
            \(script)
            done
            \(after)
            """
        let file = try folder.file("program", text)
        chmod(file.path, 0o700)
        return try CommandGenerator(
            command: [file.path], timeout: timeout, firstTimeout: firstTimeout, temporaryFolder: folder.url)
    }

    func picture(_ size: Int) -> RGBImage {
        RGBImage(width: size, height: size, pixels: (0..<size * size * 3).map { UInt8(truncatingIfNeeded: $0 * 7) })
    }

    func requests(_ count: Int, size: Int = 8) -> [PictureRequest] {
        (0..<count).map {
            PictureRequest(
                id: "\($0)", prompt: PictureDescription(text: "a \"cat\"\nof tin \($0)", phrases: []), shown: "cat",
                forbidden: "dog", seed: UInt64.max - UInt64($0), size: size)
        }
    }

    func lines(_ name: String) -> [String] {
        let text = try? String(contentsOf: folder.url.appendingPathComponent(name), encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    /// Whether a process runs; one that is dead but not yet waited for by its parent does not.
    func isAlive(_ pid: String) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    /// Nothing that a test started is left, and no folder of pictures either.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for pid in lines("pids") + lines("children") {
            // A signal reaches a busy machine's processes a little later.
            for _ in 0..<300 where isAlive(pid) { usleep(10_000) }
            #expect(!isAlive(pid), "process \(pid) lives", sourceLocation: sourceLocation)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter {
            $0.hasPrefix("clip-lens")
        }
        #expect(left.isEmpty, sourceLocation: sourceLocation)
    }

    static let good = "cp \"$small\" \"$output\"; ok"

    // MARK: Good programs

    @Test func picturesComeInOrderFromOneProcess() throws {
        do {
            let generator = try generator(
                "printf '%s\\n' \"$line\" >> \"$folder/seen\"; echo chatter; echo '{\"ok\": true}'; " + Self.good)
            for _ in 0..<2 {
                let found = generator.pictures(requests(3))
                #expect(found == [Result](repeating: .success(GeneratedPicture(image: picture(8))), count: 3))
            }
        }
        #expect(lines("pids").count == 1)
        let seen = try lines("seen").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(seen.count == 6)
        #expect(seen[1]["prompt"] as? String == "a \"cat\"\nof tin 1" && seen[1]["size"] as? Int == 8)
        #expect(seen[1]["seed"] as? Int == 0xFFFF_FFFE)
        #expect(Set(seen.compactMap { $0["output"] as? String }).count == 6)
        try expectNothingLeft()
    }

    @Test func programEndsWithItsInput() throws {
        do { _ = try generator(Self.good, after: "echo end >> \"$folder/end\"").pictures(requests(1)) }
        #expect(lines("end") == ["end"])
        try expectNothingLeft()
    }

    @Test func megabytesOfChatterDoNotMatter() throws {
        do {
            let noise =
                "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2; yes '[1,2' | head -n 100000; echo; "
            let found = try generator(noise + Self.good).pictures(requests(2))
            #expect(found == [Result](repeating: .success(GeneratedPicture(image: picture(8))), count: 2))
        }
        try expectNothingLeft()
    }

    @Test func firstPictureMayTakeLonger() throws {
        do {
            let generator = try generator(Self.good, timeout: 1, firstTimeout: 20, before: "sleep 2")
            #expect(generator.pictures(requests(2)).count { (try? $0.get()) != nil } == 2)
        }
        try expectNothingLeft()
    }

    @Test func programThatEndsAfterItsAnswerIsStartedAgain() throws {
        do {
            let found = try generator(Self.good + "; sleep 0.2; exit 0").pictures(requests(6))
            #expect(found.count { (try? $0.get()) != nil } == 6)
        }
        #expect(lines("pids").count == 6)
        try expectNothingLeft()
    }

    // MARK: Bad pictures

    @Test func badPicturesCostOnlyThemselves() throws {
        try picture(9).writePNG(to: folder.url.appendingPathComponent("nine.png"))
        try picture(4).writePNG(to: folder.url.appendingPathComponent("four.png"))
        do {
            let found = try generator(
                """
                case $number in
                1) ok;;
                2) echo garbage > "$output"; ok;;
                3) cp "$folder/nine.png" "$output"; ok;;
                4) cp "$folder/four.png" "$output"; ok;;
                5) ln -s "$small" "$output"; ok;;
                6) truncate -s 10G "$output"; ok;;
                7) mkdir "$output"; ok;;
                8) mkfifo "$output"; ok;;
                9) head -c 60 "$small" > "$output"; ok;;
                10) printf '{"output": "%s", "error": "no memory"}\\n' "$output";;
                11) printf '{"output": "%s"}\\n' "$output";;
                *) \(Self.good);;
                esac
                """
            ).pictures(requests(12))
            let failures: [PictureFailure?] = found.map { if case .failure(let failure) = $0 { failure } else { nil } }
            #expect(failures[0] == .notWritten)
            #expect(failures[1] == .notAPicture(reason: "not a PNG file"))
            #expect(failures[2] == .wrongSize(found: [9, 9], expected: 8))
            #expect(failures[3] == .wrongSize(found: [4, 4], expected: 8))
            #expect(failures[4] == .notAPicture(reason: "a symbolic link"))
            guard case .notAPicture(let reason)? = failures[5] else {
                Issue.record("\(found[5])")
                return
            }
            #expect(reason.contains("\(10 << 30) bytes"))
            #expect(failures[6] == .notAPicture(reason: FileFault.isAFolder.text))
            #expect(failures[7] == .notAPicture(reason: FileFault.notARegularFile.text))
            guard case .notAPicture? = failures[8] else {
                Issue.record("\(found[8])")
                return
            }
            #expect(failures[9] == .reported(message: "no memory"))
            #expect(failures[10] == .reported(message: ""))
            #expect(failures[11] == nil)
        }
        #expect(lines("pids").count == 1)
        try expectNothingLeft()
    }

    // MARK: Bad programs

    @Test func exitIsReportedWithItsMessage() throws {
        do {
            let found = try generator("head -c 5000 /dev/zero | tr '\\0' x >&2; echo 'no such model' >&2; exit 3")
                .pictures(requests(7))
            for outcome in found.prefix(4) {
                guard case .failure(.exited(3, let message)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(message.hasSuffix("no such model") && message.utf8.count <= ChildProcess.keptErrors)
            }
            // The rest fail at once, with the reason.
            for outcome in found.suffix(3) {
                guard case .failure(.notStarted(let reason)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(reason.contains("4 starts") && reason.contains("no such model"))
            }
        }
        #expect(lines("pids").count == 4)
        try expectNothingLeft()
    }

    @Test func programThatDiesMidWayIsStartedAgain() throws {
        do {
            let found = try generator(
                "if [ $number = 3 ]; then head -c 40 \"$small\" > \"$output\"; kill -9 $$; fi; " + Self.good
            ).pictures(requests(20))
            for (index, outcome) in found.enumerated() {
                #expect(
                    outcome
                        == (index % 3 == 2
                            ? .failure(.exited(status: -9, message: ""))
                            : .success(GeneratedPicture(image: picture(8)))),
                    "\(index)")
            }
        }
        #expect(lines("pids").count == 7)
        try expectNothingLeft()
    }

    @Test func hangingProgramIsKilledWithItsChildren() throws {
        let start = ContinuousClock.now
        do {
            let found = try generator("sleep 1000 & echo $! >> \"$folder/children\"; trap '' TERM; wait", timeout: 1)
                .pictures(requests(6))
            #expect(found.prefix(4) == [Result](repeating: .failure(.timedOut(seconds: 1)), count: 4)[...])
            for outcome in found.suffix(2) {
                guard case .failure(.notStarted) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
            }
            #expect(lines("children").count == 4)
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        try expectNothingLeft()
    }

    /// Whoever interrupts a run does not wait for a picture.
    @Test func cancelledPicturesAreNotWaitedFor() throws {
        let start = ContinuousClock.now
        let file = folder.url.appendingPathComponent("children").path
        do {
            let generator = try generator(
                "if [ $number = 1 ]; then \(Self.good); else sleep 1000 & echo $! >> \"$folder/children\"; trap '' TERM; wait; fi",
                timeout: 600)
            let found = generator.pictures(requests(4)) { FileManager.default.fileExists(atPath: file) }
            #expect(
                found == [.success(GeneratedPicture(image: picture(8)))]
                    + [Result](repeating: .failure(.cancelled), count: 3))
            // The program was killed, not left with a picture that nobody waits for; a later call starts another.
            #expect(lines("pids").count == 1 && lines("pids").allSatisfy { !isAlive($0) })
            #expect(generator.pictures(requests(1)) == [.success(GeneratedPicture(image: picture(8)))])
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        try expectNothingLeft()
    }

    @Test func childrenOfAProgramThatEndedAreKilled() throws {
        do {
            let found = try generator("sleep 1000 & echo $! >> \"$folder/children\"; exit 1").pictures(requests(1))
            guard case .failure(.exited(1, _)) = found[0] else {
                Issue.record("\(found)")
                return
            }
        }
        try expectNothingLeft()
    }

    @Test func programThatDoesNotEndWithItsInputIsKilled() throws {
        let start = ContinuousClock.now
        do { _ = try generator(Self.good, after: "trap '' TERM; while true; do sleep 1; done").pictures(requests(1)) }
        #expect(ContinuousClock.now - start < .seconds(10))
        try expectNothingLeft()
    }

    /// A prompt larger than a pipe, for a program that does not read: neither waiting nor SIGPIPE.
    @Test(arguments: ["exec sleep 1000", "exec <&-; sleep 1000", "exit 5", "exec >&-; exec 2>&-; sleep 1000"])
    func programThatDoesNotReadTimesOut(before: String) throws {
        var request = requests(1)[0]
        request.prompt.text = String(repeating: "cat ", count: 1 << 18)
        do {
            let ends = before == "exit 5"
            let found = try generator(Self.good, timeout: ends ? 20 : 0.5, before: before).pictures([request])
            let expected: PictureFailure = ends ? .exited(status: 5, message: "") : .timedOut(seconds: 0.5)
            #expect(found == [.failure(expected)])
        }
        try expectNothingLeft()
    }

    @Test func endlessChatterTimesOut() throws {
        do {
            let found = try generator("yes", timeout: 0.5).pictures(requests(1))
            #expect(found == [.failure(.timedOut(seconds: 0.5))])
        }
        try expectNothingLeft()
    }

    @Test func absentAndUnusableCommandsAreNamed() throws {
        let text = try folder.file("text", "no program")
        for (command, reason) in [
            (["clip-lens-no-such-program"], "No such file"), (["/nowhere/program", "x"], "No such file"),
            ([text.path], "Permission denied"),
        ] {
            let generator = try CommandGenerator(command: command, timeout: 1, temporaryFolder: folder.url)
            for outcome in generator.pictures(requests(2)) {
                guard case .failure(.notStarted(let found)) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(found.contains(reason) && found.contains(command[0]))
            }
        }
        for command in [[], [""], ["a\0b"]] {
            #expect(throws: SearchError.unusableCommand(command)) { try CommandGenerator(command: command, timeout: 1) }
        }
        for timeout in [0, -1, Double.nan, .infinity] {
            #expect(throws: SearchError.self) { try CommandGenerator(command: ["true"], timeout: timeout) }
        }
        let absent = folder.url.appendingPathComponent("absent")
        #expect(throws: SearchError.self) {
            try CommandGenerator(command: ["true"], timeout: 1, temporaryFolder: absent)
        }
        try expectNothingLeft()
    }

    @Test func severalThreadsTakeTurns() async throws {
        do {
            let generator = try generator(Self.good)
            let requests = requests(4)
            let found = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { generator.pictures(requests).count { (try? $0.get()) != nil } } }
                return await group.reduce(0, +)
            }
            #expect(found == 16)
        }
        #expect(lines("pids").count == 1)
        try expectNothingLeft()
    }

    @Test func closedGeneratorMakesNoPictures() throws {
        let generator = try generator(Self.good)
        _ = generator.pictures(requests(1))
        generator.close()
        try expectNothingLeft()
        #expect(generator.pictures(requests(1)) == [.failure(.notStarted(reason: "closed"))])
    }

    @Test func identityKnowsTheScript() throws {
        let first = try generator(Self.good).identity
        #expect(try generator(Self.good).identity == first)
        #expect(try generator(Self.good + " ").identity != first)
    }

    /// Files that this process has open do not reach the program.
    @Test func programInheritsNoFiles() throws {
        let descriptor = open(folder.url.path, O_RDONLY)
        defer { close(descriptor) }
        do { _ = try generator("ls /proc/$$/fd > \"$folder/open\"; " + Self.good).pictures(requests(1)) }
        // The shell's own copy of its script is above the standard streams too.
        #expect(
            lines("open").contains("0") && !lines("open").contains("\(descriptor)") && lines("open").count <= 5,
            "\(lines("open"))")
    }

    // MARK: The script that comes along

    static let script = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("scripts/serve_pictures.py")

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
    func servedPicturesFollowTheProtocol() throws {
        do {
            let generator = try CommandGenerator(
                command: ["/usr/bin/python3", Self.script.path, "--dry-run"], timeout: 30, temporaryFolder: folder.url)
            let found = try generator.pictures(requests(2, size: 24)).map { try $0.get().image }
            #expect(found.allSatisfy { $0.width == 24 && $0.height == 24 } && found[0] != found[1])
            #expect(Set(stride(from: 0, to: found[0].pixels.count, by: 3).map { found[0].pixels[$0] }).count == 1)
        }
        try expectNothingLeft()
    }
}
