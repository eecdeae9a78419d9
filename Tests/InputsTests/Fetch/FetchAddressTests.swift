import Testing

@testable import Inputs

@Suite struct FetchAddressTests {
    @Test(arguments: [
        "", "x", "/etc/passwd", "ftp://h/x", "http:/h", "://h", "http://", "https://h/a b", "http://h/\n", "http://h/é",
        "javascript://x", " http://h/",
    ])
    func otherAddressesAreRefused(text: String) {
        #expect(FetchAddress(text) == nil)
    }

    /// Never to a file, and never from where nobody listens to where others can.
    @Test(arguments: [
        ("https://a/", "https://b/", true), ("https://a/", "http://b/", false), ("http://a/", "https://b/", true),
        ("http://a/", "http://b/", true), ("http://a/", "file:///b", false), ("https://a/", "FILE:///b", false),
        ("HTTPS://a/", "HTTP://b/", false),
    ])
    func whereServersMaySendOn(from: String, to: String, isAllowed: Bool) throws {
        let (from, to) = (try #require(FetchAddress(from)), try #require(FetchAddress(to)))
        #expect(from.maySendOn(to: to) == isAllowed)
    }

    @Test(arguments: [("bytes 5-9/10", 5, 10), ("bytes 0-0/*", 0, nil)] as [(String, Int, Int?)])
    func contentRanges(text: String, first: Int, total: Int?) {
        let range = ContentRange(text)
        #expect(range?.first == first && range?.total == total)
    }

    @Test(arguments: [
        "", "bytes */10", "bytes 5-/10", "items 0-1/2", "bytes 99999999999999999999-9/10", "bytes -5-9/10",
    ])
    func nonsenseIsNoRange(text: String) {
        #expect(ContentRange(text) == nil)
    }
}
