import Foundation
import Testing

/// That the shim misses nothing: a fault cannot be injected into a call that it does not see.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct ShimTests {
    static let strace = URL(fileURLWithPath: "/usr/bin/strace")

    /// Not where tracing is forbidden, as in some containers.
    static let canTrace =
        (try? RunnerProcess.run(["-f", "-o", "/dev/null", "/bin/true"], executable: strace).status) == 0

    /// The kernel's view of the calls that change files, by the names that the shim gives them.
    static let names = [
        "write": "write", "pwrite64": "pwrite", "fsync": "sync", "fdatasync": "sync", "rename": "rename",
        "renameat": "rename",
        "renameat2": "rename", "unlink": "unlink", "unlinkat": "unlink", "rmdir": "rmdir", "mkdir": "mkdir",
        "mkdirat": "mkdir",
        "ftruncate": "truncate", "writev": "writev", "pwritev": "writev", "link": "link", "linkat": "link",
        "symlink": "link",
        "truncate": "truncate", "fallocate": "truncate", "sendfile": "write", "copy_file_range": "write",
    ]

    @Test(.enabled(if: canTrace, "needs strace and the right to trace"))
    func theShimSeesEveryCallThatChangesResults() throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let (log, trace) = (run.folder.appendingPathComponent("calls"), run.folder.appendingPathComponent("trace"))
        let environment = FaultInjection.environment(nil, results: run.results, log: log, clock: 0).flatMap {
            ["-E", "\($0.key)=\($0.value)"]
        }
        let output = try RunnerProcess.run(
            [
                "-f", "-y", "-s", "0", "-qq", "-o", trace.path, "-e",
                "trace=" + Self.names.keys.sorted().joined(separator: ","),
            ] + environment
                + [RunnerProcess.executable.path] + run.arguments(),
            executable: Self.strace)
        #expect(output.status == 0, "\(output.errors)")

        var traced: [String: Int] = [:]
        // "123 pwrite64(5</tmp/…/results.sqlite-wal>, …", and "<unfinished ...>" for calls that another thread interrupts.
        // A name below an open folder: "renameat(4</tmp/…/results>, …".
        for line in try String(contentsOf: trace, encoding: .utf8).split(separator: "\n")
        where line.contains(run.results.path + "/") || line.contains(run.results.path + ">, \"") {
            guard let call = line.firstMatch(of: /^[0-9]+ +([a-z0-9]+)\(/), let name = Self.names[String(call.1)] else {
                continue
            }
            traced[line.contains("AT_REMOVEDIR") ? "rmdir" : name, default: 0] += 1
        }
        var seen: [String: Int] = [:]
        for call in FaultLog(log, results: run.results).calls where call.name != "create" {
            seen[call.name, default: 0] += 1
        }
        #expect(traced.values.reduce(0, +) > 100)
        #expect(seen == traced)
    }
}
