import Foundation
import Testing
import TestSupport

/// A fault that a runner is to meet; `Tests/FaultInjection/faults.c` says what each kind does.
struct Fault: CustomStringConvertible {
    enum Kind: String {
        case kill, torn, int, full, io, sync, hang, clock
        case hangOpen = "hang-open"
    }

    let kind: Kind
    /// Which of the calls that count, from 1.
    let at: Int
    /// Part of the paths that count.
    var only: String?

    var description: String { "\(kind) at call \(at)\(only.map { " of *\($0)*" } ?? "")" }
}

/// The calls by which a runner changed its results, in their order, and the one that met the fault.
struct FaultLog {
    struct Call: Equatable {
        let name: String
        /// Relative to the results folder.
        let path: String
    }

    var calls: [Call] = []
    var injected: Call?

    /// - Parameter file: as the shim writes it; a line that was cut by a kill is none.
    init(_ file: URL, results: URL) {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let isInjected = line.hasPrefix("! ")
            let fields = line.dropFirst(isInjected ? 2 : 0).split(separator: " ", maxSplits: 2).map(String.init)
            guard fields.count == 3 else { continue }
            let path =
                fields[2].hasPrefix(results.path + "/")
                ? String(fields[2].dropFirst(results.path.count + 1)) : fields[2]
            let call = Call(name: fields[1], path: path)
            if isInjected { injected = call } else { calls.append(call) }
        }
    }

    /// The shards and artefacts that were committed: whose manifest was renamed into place.
    func committed(endedBy fault: Fault?) -> [String] {
        var manifests = calls.filter { $0.name == "rename" && $0.path.hasSuffix("manifest.json") }.map(\.path)
        // The call that met the fault was not made.
        if let fault, [.kill, .io].contains(fault.kind), injected?.name == "rename", manifests.last == injected?.path {
            manifests.removeLast()
        }
        return manifests
    }
}

enum FaultInjection {
    /// The shim, compiled once; nil without a C compiler, which every Swift toolchain brings along.
    static let library: URL? = {
        let source = RunnerProcess.repository.appendingPathComponent("Tests/FaultInjection/faults.c")
        guard let folder = try? ProcessFolder.make() else { return nil }
        let library = folder.appendingPathComponent("libfaults.so")
        let output = try? RunnerProcess.run(
            [
                "clang", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library.path, source.path,
                "-ldl",
            ],
            executable: URL(fileURLWithPath: "/usr/bin/env"))
        return output?.status == 0 ? library : nil
    }()

    static let isPossible = library != nil

    /// What has to be in the environment of a runner.
    static func environment(_ fault: Fault?, results: URL, log: URL, clock: Int) -> [String: String] {
        var environment = [
            "LD_PRELOAD": library?.path ?? "", "FAULT_PROGRAM": "runner", "FAULT_UNDER": results.path,
            "FAULT_LOG": log.path,
            "FAULT_CLOCK": "\(clock)",
        ]
        if let fault {
            environment["FAULT_KIND"] = fault.kind.rawValue
            environment["FAULT_AT"] = "\(fault.at)"
            environment["FAULT_ONLY"] = fault.only
        }
        return environment
    }
}
