import Foundation
import Testing

/// Results in a folder that cannot be written, for a user without rights: nothing is computed, everything can be read.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct ReadOnlyTests {
    @Test(.enabled(if: BadInputTests.canRunUnprivileged, "needs root, setpriv and a clone that others may read"))
    func finishedResultsAreReadAndNotTouched() throws {
        let reference = try FaultRun.undisturbed.get()
        let run = try FaultRun(after: reference.run)
        let manager = FileManager.default
        // A step to compute, so that there is work to refuse.
        try manager.removeItem(at: run.results.appendingPathComponent("cache/overlap"))
        let paths = try [""] + manager.subpathsOfDirectory(atPath: run.results.path)
        func setModes(folders: Int, files: Int) throws {
            for path in paths {
                let url = run.results.appendingPathComponent(path)
                var isFolder: ObjCBool = false
                _ = manager.fileExists(atPath: url.path, isDirectory: &isFolder)
                try manager.setAttributes(
                    [.posixPermissions: isFolder.boolValue ? folders : files], ofItemAtPath: url.path)
            }
        }
        try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run.folder.path)
        try setModes(folders: 0o555, files: 0o444)
        let before = try run.files()

        let refused = try BadInputTests.runUnprivileged(run.arguments())
        #expect(refused.status == 73 && refused.text == "", "\(refused.status) \(refused.errors)")
        #expect(
            refused.errors.contains(run.results.path) && refused.errors.contains("Permission denied"),
            "\(refused.errors)")
        #expect(!refused.errors.contains("done in"), "it was refused after work: \(refused.errors)")

        let plan = try BadInputTests.runUnprivileged([
            "plan", "--spec", run.spec.path, "--results", run.results.path, "--limit", "32",
        ])
        #expect(plan.status == 0 && plan.text.contains("1 of "), "\(plan.errors)")
        let compared = try BadInputTests.runUnprivileged(["compare", run.results.path, run.results.path])
        // Read, but the rows of 32 images only are not set side by side.
        #expect(compared.status == 2 && compared.text.contains("head is partial"), "\(compared.text)\(compared.errors)")
        #expect(try run.files() == before)

        try setModes(folders: 0o755, files: 0o644)
        try run.finish(after: [])
        run.remove()
    }
}
