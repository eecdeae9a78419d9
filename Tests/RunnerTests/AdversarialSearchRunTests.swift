import Foundation
import Inputs
import Pipeline
import Results
import TestSupport
import Testing

/// The adversarial search through the whole program, with tools that behave and tools that do not. One after
/// the other: programs are timed.
@Suite(.serialized) struct AdversarialSearchRunTests {
    static let text = """
        experiment: adversarial-search
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        layers: [1, 2]
        significant-images: 10
        images-per-shard: 32
        pairs:
          - {shown: horse, mistaken-for: automobile, paper: horse-automobile}
        pools: [{name: words, file: pool.txt}]
        sizes: [2, 4]
        size: 4
        neurons: 2
        indirect-sample: {neurons: 1, images: 32}
        phrases: 5
        descriptions: {count: 2, phrases-each: 2}
        images-each: 2
        repeats: [2]
        describer: {kind: templates}
        generator: {kind: scenes}
        seed: 0
        """

    /// A pair, five methods, two repeats; four pictures each.
    static let (searches, pictures) = (10, 40)

    static let pool = [
        "ship", "horse", "moon", "boot", "rose", "bullseye", "mushroom", "violin", "nest", "rope", "ladder", "teapot",
        "zebra",
        "pancakes", "popcorn", "red envelope", "fire engine", "automobile", "tomato", "banana",
    ]

    /// What all runs share: computed once, so that each test is about its tools.
    static let prepared = Result {
        let run = try make(text)
        let output = try RunnerProcess.run(run.arguments(["--jobs", "2"]))
        #expect(output.status == 0, "\(output.errors)")
        return run
    }

    static func make(_ text: String) throws -> SmallRun {
        let run = try SmallRun(text)
        try Data(pool.joined(separator: "\n").utf8).write(to: run.folder.appendingPathComponent("pool.txt"))
        return run
    }

    /// A run that starts from what is prepared.
    func run(_ old: String, _ new: String) throws -> SmallRun {
        #expect(Self.text.contains(old))
        var run = try Self.make(Self.text.replacingOccurrences(of: old, with: new))
        try FileManager.default.copyItem(at: Self.prepared.get().results, to: run.results)
        run.isAllowed = true
        return run
    }

    func file(_ name: String, of run: SmallRun) throws -> Data {
        try Data(contentsOf: run.results.appendingPathComponent("adversarial-search\(name)"))
    }

    /// The rows of a list without its header, and without the line ends that a message may hold.
    func list(_ name: String, of run: SmallRun) throws -> [String] {
        try String(decoding: file(name, of: run), as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map(
            String.init)
    }

    func metrics(_ run: SmallRun) throws -> [Metric] {
        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        return try database.metrics(of: #require(try database.latestRun(of: "adversarial-search")))
            .filter { $0.name.hasPrefix("fooling-pictures") }
    }

    // MARK: Built-in tools

    @Test func tablesListsAndPicturesComeOut() throws {
        let run = try Self.prepared.get()
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0 && again.text.contains("Nothing to compute"), "\(again.errors)")
        #expect(
            again.text.contains("Table 3: pictures of the first class") && again.text.contains("PARTIAL, 96 images"))
        #expect(again.text.contains("The spurious words of the first repeat"))

        let rows = try metrics(run)
        #expect(rows.count == 3 * 5 && rows.allSatisfy { $0.status == .ok && $0.skipped == 0 && $0.isPartial })
        #expect(
            rows.filter { $0.name == "fooling-pictures" }.allSatisfy { $0.n == 8 && (0...1).contains($0.value ?? -1) })
        let pictures = try list("-pictures.csv", of: run)
        #expect(pictures.count == Self.pictures && pictures.allSatisfy { $0.hasPrefix("horse→automobile/") })
        #expect(try list("-words.csv", of: run).count == Self.searches * 5)
        // The numbers are those of the pictures that are listed.
        for row in rows where row.name == "fooling-pictures" {
            let method = try #require(row.subject["method"])
            let fooling = pictures.count { $0.contains("→automobile/\(method)/") && $0.hasSuffix(",true,") }
            #expect(row.value == Double(fooling) / 8, "\(method): \(fooling)")
        }
        #expect(pictures.contains { $0.hasSuffix(",true,") })
        let gallery = try RGBImage(
            contentsOf: run.results.appendingPathComponent("adversarial-search-horse-automobile.png"))
        #expect(gallery.width > 256 && Set(gallery.pixels).count > 2)
    }

    @Test func workersDoNotChangeAByte() throws {
        let run = try Self.make(Self.text)
        #expect(try RunnerProcess.run(run.arguments(["--jobs", "1"])).status == 0)
        for name in [".csv", "-predictions.csv", "-words.csv", "-pictures.csv", "-horse-automobile.png"] {
            #expect(try file(name, of: run) == file(name, of: Self.prepared.get()), "\(name)")
        }
    }

    @Test(arguments: [
        ("mistaken-for: automobile", "mistaken-for: automobil", "did you mean 'automobile'?"),
        ("mistaken-for: automobile", "mistaken-for: horse", "a pair needs two classes"),
        (
            "{shown: horse, mistaken-for: automobile, paper: horse-automobile}", "{shown: poodle, mistaken-for: dog}",
            "'poodle' without 'dog'"
        ),
        ("phrases: 5", "phrases: 1", "too few"), ("neurons: 2\n", "neurons: 3\n", "raise indirect-sample"),
        ("{kind: templates}", "{kind: chat, url: \"http://me:word@host\", model: m}", "'…@host'"),
        ("{kind: scenes}", "{kind: command, command: [\"\"]}", "spec.yaml:20:"),
        ("file: pool.txt", "file: nowhere.txt", "nowhere.txt"),
    ])
    func specsAreRefused(old: String, new: String, words: String) throws {
        #expect(Self.text.contains(old))
        let run = try Self.make(Self.text.replacingOccurrences(of: old, with: new))
        let output = try RunnerProcess.run(run.arguments())
        #expect([65, 66].contains(output.status) && output.text == "", "\(output.status)")
        #expect(output.errors.contains(words) && output.errors.contains("fix: "), "\(output.errors)")
        #expect(!FileManager.default.fileExists(atPath: run.results.appendingPathComponent("cache").path))
    }

    /// Phrases may run out only when the pool is known: the second class names all but one of them.
    @Test func tooFewPhrasesAreSaid() throws {
        let run = try run("pools: [{name: words, file: pool.txt}]", "pools: [{name: words, file: few.txt}]")
        try Data("automobile\nautomobiles\nred automobile\nmoon\n".utf8).write(
            to: run.folder.appendingPathComponent("few.txt"))
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 65 && output.errors.contains("horse→automobile"), "\(output.status) \(output.errors)")
    }

    // MARK: Generators

    /// A program over a shell script. `$output` is the path of the picture, `$good` a PNG of the right size, `$number`
    /// counts the pictures that were asked for over all starts.
    func generator(_ script: String, _ settings: String = "") throws -> SmallRun {
        let run = try run("{kind: scenes}", "{kind: command, command: [program]\(settings)}")
        let good = run.folder.appendingPathComponent("good.png")
        try RGBImage(width: 64, height: 64, pixels: (0..<64 * 64 * 3).map { UInt8(truncatingIfNeeded: $0) }).writePNG(
            to: good)
        let program = run.folder.appendingPathComponent("program")
        try Data(
            """
            #!/bin/sh
            folder='\(run.folder.path)'
            good='\(good.path)'
            echo $$ >> "$folder/pids"
            ok() { cp "$good" "$output"; printf '{"output": "%s", "ok": true}\\n' "$output"; }
            while IFS= read -r line; do
            printf '%s\\n' "$line" >> "$folder/asked"
            number=$(wc -l < "$folder/asked")
            output=$(printf '%s' "$line" | sed 's/.*"output":"\\([^"]*\\)".*/\\1/')
            \(script)
            done
            """.utf8
        ).write(to: program)
        chmod(program.path, 0o700)
        let spec = try String(contentsOf: run.spec, encoding: .utf8)
        try Data(spec.replacingOccurrences(of: "[program]", with: "[\"\(program.path)\"]").utf8).write(to: run.spec)
        return run
    }

    func lines(_ name: String, of run: SmallRun) -> [String] {
        let text = try? String(contentsOf: run.folder.appendingPathComponent(name), encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    /// Nothing that a program started is left.
    func expectNothingLeft(_ run: SmallRun, sourceLocation: SourceLocation = #_sourceLocation) {
        func isAlive(_ pid: String) -> Bool {
            let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            return stat.map { $0.split(separator: ")").last?.split(separator: " ").first != "Z" } ?? false
        }
        for pid in lines("pids", of: run) + lines("children", of: run) {
            for _ in 0..<300 where isAlive(pid) { usleep(10_000) }
            #expect(!isAlive(pid), "process \(pid) lives", sourceLocation: sourceLocation)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
    func theScriptThatComesAlongMakesPictures() throws {
        let script = RunnerProcess.repository.appendingPathComponent("scripts/serve_pictures.py").path
        let run = try run(
            "{kind: scenes}", "{kind: command, command: [/usr/bin/env, python3, \"\(script)\", --dry-run]}")
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0 && output.text.contains("nobody has looked at"), "\(output.errors)")
        #expect(try metrics(run).allSatisfy { $0.status == .ok && $0.skipped == 0 })
        #expect(try RunnerProcess.run(run.arguments()).text.contains("Nothing to compute"))
    }

    /// A key for some service is none of a generator's business.
    @Test func aProgramGetsNoVariablesButTheNamedOnes() throws {
        let run = try generator("env > \"$folder/variables\"; ok", ", environment: [LENS_NAMED, LENS_NOT_SET]")
        let output = try RunnerProcess.start(
            run.arguments(),
            environment: ["LENS_NAMED": "of the spec", "LENS_SECRET": "of the user", "LANG": "C.UTF-8"]
        ).wait()
        #expect(output.status == 0, "\(output.errors)")
        // A shell sets some of its own.
        let names = Set(lines("variables", of: run).compactMap { $0.split(separator: "=").first.map(String.init) })
        #expect(
            names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == ["PATH", "HOME", "LANG", "LENS_NAMED"], "\(names)")
        #expect(lines("variables", of: run).contains("LENS_NAMED=of the spec"))
    }

    @Test func picturesThatFailAreCountedAndCostNothingElse() throws {
        let run = try generator(
            "if [ $((number % 2)) = 0 ]; then printf '{\"output\": \"%s\", \"error\": \"no memory\"}\\n' \"$output\"; else ok; fi"
        )
        let output = try RunnerProcess.run(run.arguments(["--jobs", "1"]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.text.contains("20 of 40 pictures were not made, the first because: the program says: no memory"))
        let rows = try metrics(run).filter { $0.name == "fooling-pictures" }
        #expect(rows.count == 10 && rows.allSatisfy { $0.status == .ok && $0.n == 4 && $0.skipped == 4 })
        #expect(try list("-pictures.csv", of: run).count { $0.hasSuffix("the program says: no memory") } == 20)
        #expect(lines("pids", of: run).count == 1 && lines("asked", of: run).count == Self.pictures)
        expectNothingLeft(run)
    }

    @Test func aProgramThatAlwaysFailsLeavesEmptyRows() throws {
        let run = try generator("echo 'no such model' >&2; exit 3")
        let output = try RunnerProcess.run(run.arguments())
        #expect(
            output.status == 1 && output.errors.contains("has no value: empty"), "\(output.status) \(output.errors)")
        #expect(
            output.text.contains("40 of 40 pictures were not made") && output.text.contains("--force search-pictures"))
        let rows = try metrics(run)
        #expect(rows.count == 15 && rows.allSatisfy { $0.status == .empty && $0.value == nil && $0.n == 0 })
        let pictures = try list("-pictures.csv", of: run)
        #expect(pictures.count { $0.contains("status 3: no such model") } >= 4 && pictures.count == Self.pictures)
        // As the footnote says: kept until they are asked for again.
        #expect(lines("asked", of: run).count == 4)
        #expect(try RunnerProcess.run(run.arguments()).status == 1 && lines("asked", of: run).count == 4)
        #expect(
            try RunnerProcess.run(run.arguments(["--force", "search-pictures"])).status == 1
                && lines("asked", of: run).count == 8)
        expectNothingLeft(run)
    }

    @Test func picturesThatHangTimeOutOneByOne() throws {
        let run = try generator(
            "if [ $((number % 15)) = 3 ]; then sleep 1000 & echo $! >> \"$folder/children\"; wait; else ok; fi",
            ", timeout: 1, first-timeout: 5")
        let output = try RunnerProcess.run(run.arguments(["--jobs", "1"]))
        #expect(output.status == 0, "\(output.errors)")
        #expect(try list("-pictures.csv", of: run).count { $0.hasSuffix("no picture within 1.0 s") } == 3)
        #expect(try metrics(run).allSatisfy { $0.status == .ok })
        #expect(lines("pids", of: run).count == 4)
        expectNothingLeft(run)
    }

    // MARK: Interruptions

    /// Starts a run with a temporary folder of its own and waits until `isReached`.
    func start(_ run: SmallRun, until isReached: () -> Bool) throws -> (RunnerProcess.Running, temporary: URL) {
        let temporary = run.folder.appendingPathComponent("tmp")
        try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
        let running = try RunnerProcess.start(
            run.arguments(["--jobs", "2"]), environment: ["TMPDIR": temporary.path + "/"])
        let deadline = Date(timeIntervalSinceNow: 60)
        while running.process.isRunning, Date() < deadline, !isReached() { usleep(2000) }
        return (running, temporary)
    }

    /// Interrupts a run, which has to end within ten seconds.
    func interrupt(_ running: RunnerProcess.Running) throws -> RunnerProcess.Output {
        kill(running.process.processIdentifier, SIGINT)
        let deadline = Date(timeIntervalSinceNow: 10)
        while running.process.isRunning, Date() < deadline { usleep(2000) }
        if running.process.isRunning { kill(running.process.processIdentifier, SIGKILL) }
        return try running.wait()
    }

    @Test func interruptDoesNotWaitForASlowProgram() throws {
        let run = try generator(
            "[ $number -le 6 ] && ok || { sleep 1000 & echo $! >> \"$folder/children\"; wait; }",
            ", first-timeout: 600, timeout: 600")
        let (running, temporary) = try start(run) { !lines("children", of: run).isEmpty }
        #expect(try !FileManager.default.contentsOfDirectory(atPath: temporary.path).isEmpty)
        let output = try interrupt(running)
        #expect(output.status == 130 && output.errors.contains("go on with:"), "\(output.status) \(output.errors)")
        expectNothingLeft(run)
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
        // No picture that nobody waited for was stored as a failure.
        #expect(shards("search-pictures", of: run) <= 1)
    }

    /// Finished shards of a step.
    func shards(_ step: String, of run: SmallRun) -> Int {
        let cache = run.results.appendingPathComponent("cache/\(step)").path
        let files = FileManager.default.enumerator(atPath: cache)?.compactMap { $0 as? String } ?? []
        return files.count { $0.contains("/shards/") && $0.hasSuffix(".manifest.json") && !$0.contains("/.clip-lens-") }
    }

    @Test func picturesOfFinishedShardsAreNotAskedForAgain() throws {
        let run = try generator("sleep 0.02; ok")
        let (running, _) = try start(run) { shards("search-pictures", of: run) >= 3 }
        kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
        let finished = shards("search-pictures", of: run)
        #expect((3..<Self.searches).contains(finished))
        // A program that reads its input ends with it, even where nobody is left to end it.
        expectNothingLeft(run)
        let before = lines("asked", of: run).count
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(lines("asked", of: run).count - before == Self.pictures - 4 * finished)
        #expect(try metrics(run).allSatisfy { $0.status == .ok && $0.skipped == 0 })
    }

    // MARK: Describers

    func chat(_ server: LocalServer, _ settings: String = "") throws -> SmallRun {
        try run("{kind: templates}", "{kind: chat, url: \"\(server.url)\", model: tiny\(settings)}")
    }

    static let answer = "1. A horse beside a rose and a ladder.\n2. A horse under the moon, and a violin.\n"

    @Test func descriptionsOfAModelAreAskedForOnce() throws {
        let server = try LocalServer([LocalServer.Answer](repeating: .chat(Self.answer), count: Self.searches))
        defer { server.close() }
        let run = try chat(server)
        let output = try RunnerProcess.run(run.arguments())
        #expect(output.status == 0, "\(output.errors)")
        #expect(server.requests.count == Self.searches)
        #expect(
            try list("-pictures.csv", of: run).allSatisfy {
                $0.contains("A horse beside a rose and a ladder.") || $0.contains("A horse under the moon")
            })
        let again = try RunnerProcess.run(run.arguments())
        #expect(again.status == 0 && again.text.contains("Nothing to compute"))
        #expect(server.requests.count == Self.searches)
    }

    @Test func aServerThatDiesIsNamedAndItsAnswersAreKept() throws {
        let server = try LocalServer([LocalServer.Answer](repeating: .chat(Self.answer), count: 3))
        defer { server.close() }
        let run = try chat(server)
        let output = try RunnerProcess.run(run.arguments(["--jobs", "1"]))
        #expect(
            output.status == 66 && output.errors.contains("\(server.url)/chat/completions: cannot be reached"),
            "\(output.status) \(output.errors)")
        #expect(shards("search-descriptions", of: run) == 3 && server.requests.count == 3)
        #expect(output.text == "")
    }

    @Test func interruptDoesNotWaitForASilentServer() throws {
        let server = try LocalServer([.silence])
        defer { server.close() }
        let run = try chat(server, ", timeout: 600")
        let (running, _) = try start(run) { !server.requests.isEmpty }
        let output = try interrupt(running)
        #expect(output.status == 130, "\(output.status) \(output.errors)")
    }
}
