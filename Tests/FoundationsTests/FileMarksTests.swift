import Foundation
import TestSupport
import Testing

@testable import Foundations

@Suite struct FileMarksTests {
    @Test func marksChangeWithFiles() throws {
        let folder = try TemporaryFolder()
        let (a, b) = (folder.url.appendingPathComponent("a"), folder.url.appendingPathComponent("b"))
        for url in [a, b] { try Data("abc".utf8).write(to: url) }
        let first = try #require(FileMarks([folder.url]))
        // Files that were written a moment ago may be written again unnoticed.
        #expect(!first.areSettled)
        #expect(FileMarks([folder.url.appendingPathComponent("none")]) == nil)
        let watch = FileWatch([a, b])
        let settled = try #require(FileMarks([a, b]))
        #expect(settled == FileMarks([a, b]))
        try watch.check()

        // The same bytes again are a change, too: nobody knows what was there meanwhile.
        try Data("abc".utf8).write(to: b)
        let now = try #require(FileMarks([a, b]))
        #expect(now != settled && now.digest != settled.digest && settled.firstDifference(from: now) == b.path)
        #expect(throws: ChangedFile(path: b.path)) { try watch.check() }
    }

    @Test func whatIsRemovedOrReplacedHasChanged() throws {
        let folder = try TemporaryFolder()
        let (a, b) = (folder.url.appendingPathComponent("a"), folder.url.appendingPathComponent("b"))
        for url in [a, b] { try Data("abc".utf8).write(to: url) }
        let watch = FileWatch([a])
        try FileManager.default.removeItem(at: a)
        #expect(throws: ChangedFile(path: a.path)) { try watch.check() }
        try FileManager.default.moveItem(at: b, to: a)
        #expect(throws: ChangedFile(path: a.path)) { try watch.check() }
    }
}

@Suite struct VisibleTextTests {
    @Test func whatATerminalObeysIsShown() {
        #expect("\u{1B}[2Jpaint\u{7}\r\u{9B}31m\u{7F}".visible == "\\u001b[2Jpaint\\u0007\\u000d\\u009b31m\\u007f")
        #expect("abc\u{202E}gnp.exe\u{2066}".visible == "abc\\u202egnp.exe\\u2066")
        for text in ["", "a\tb\nc", "Ünïcödé 🚢 ─ “x” 한국어 ا", "\\u001b"] { #expect(text.visible == text) }
    }

    /// The escapes are JSON's own.
    @Test func aDocumentStaysOne() throws {
        let names = ["\u{1B}[31m", "\u{9B}31m\u{7F}", "a\u{202E}b", "plain"]
        let text = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
        #expect(try JSONDecoder().decode([String].self, from: Data(text.visible.utf8)) == names)
    }
}
