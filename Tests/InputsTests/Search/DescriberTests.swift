import Foundation
@testable import Inputs
import TestSupport
import Testing

/// Descriptions contain the shown class, never the forbidden one.
@Suite struct TemplateDescriberTests {
    func request(
        shown: String = "cat", forbidden: String = "dog",
        phrases: [String] = ["bone", "leash", "identity card", "old oak", "puppy"],
        count: Int = 20, phrasesEach: Int = 3, seed: UInt64 = 1
    ) -> DescriptionRequest {
        DescriptionRequest(
            shown: shown, forbidden: forbidden, phrases: phrases, count: count, phrasesEach: phrasesEach, seed: seed)
    }

    @Test(arguments: 0...7) func phrasesAreDealtEvenly(phrasesEach: Int) throws {
        let request = request(count: 41, phrasesEach: phrasesEach)
        let found = try TemplateDescriber().descriptions(request)
        #expect(found.count == 41)
        var uses: [String: Int] = [:]
        for description in found {
            #expect(
                description.phrases.count == min(phrasesEach, 5)
                    && Set(description.phrases).count == description.phrases.count)
            #expect(
                Wording.contains(description.text, "cat") && !Wording.mentions(description.text, "dog"),
                "\(description.text)")
            for phrase in description.phrases {
                uses[phrase, default: 0] += 1
                #expect(description.text.contains(phrase))
            }
        }
        if phrasesEach > 0 {
            #expect(uses.count == 5)
            #expect((uses.values.max() ?? 0) - (uses.values.min() ?? 0) <= 1, "\(uses)")
        }
    }

    @Test func seedAndClassDecide() throws {
        let first = try TemplateDescriber().descriptions(request())
        #expect(try TemplateDescriber().descriptions(request()) == first)
        #expect(try TemplateDescriber().descriptions(request(seed: 2)) != first)
        #expect(try TemplateDescriber().descriptions(request(count: 5)) == Array(first.prefix(5)))
    }

    @Test func articlesAndListsAreEnglish() throws {
        let text = try TemplateDescriber().descriptions(
            request(shown: "owl", phrases: ["old oak", "the moon", "bone"], count: 1))[0].text
        for part in ["an owl", "an old oak", "the moon", "a bone", " and "] { #expect(text.contains(part), "\(text)") }
        #expect(!text.contains("a the moon"))
    }

    @Test func forbiddenPhrasesAreNotUsed() throws {
        let phrases = ["hot dog", "Dogs", "a dog's bone", "DOG", "hotdog stand", "bone", "", " - "]
        let found = try TemplateDescriber().descriptions(request(phrases: phrases, phrasesEach: 2))
        #expect(Set(found.flatMap(\.phrases)) == ["bone", "hotdog stand"])
    }

    @Test func impossibleRequestsAreRefused() {
        #expect(throws: SearchError.contradictoryRequest(shown: "hot dog", forbidden: "dog")) {
            try TemplateDescriber().descriptions(request(shown: "hot dog"))
        }
        #expect(throws: SearchError.tooFewDescriptions(accepted: 0, wanted: 20)) {
            try TemplateDescriber().descriptions(request(phrases: ["dog", "dogs"]))
        }
    }

    @Test(arguments: [
        ("two dogs run", "dog", true), ("a Dog.", "dog", true), ("dog-like", "dog", true),
        ("the dog's bone", "dog", true),
        ("a dogma", "dog", false), ("buses", "bus", true), ("three mice", "mouse", true), ("wolves", "wolf", true),
        ("knives", "knife", true), ("cherries", "cherry", true), ("policemen", "policeman", true),
        ("a ship", "ships", true),
        ("a delivery truck", "delivery truck", true), ("delivery trucks", "delivery truck", true),
        ("a truck for delivery", "delivery truck", false),
        ("truck", "delivery truck", false), ("firetruck", "fire truck", false), ("", "dog", false), ("dog", "", false),
    ])
    func wordsAreFound(text: String, phrase: String, expected: Bool) {
        #expect(Wording.contains(text, phrase) == expected)
    }

    @Test func compoundsAreMentioned() {
        #expect(Wording.mentions("two firetrucks", "fire truck"))
        #expect(!Wording.mentions("a fire and a truck", "fire truck"))
    }
}

/// The chat endpoint's good and bad days. One after the other: each needs a server and the time-outs of two cores.
@Suite(.serialized) struct ChatDescriberTests {
    let request = DescriptionRequest(
        shown: "cat", forbidden: "dog", phrases: ["leash", "bone", "identity card"], count: 3, phrasesEach: 2, seed: 5)

    func describer(_ url: String, keyVariable: String? = nil, timeout: Double = 20) throws -> ChatDescriber {
        try ChatDescriber(url: url, model: "tiny", temperature: 0.5, keyVariable: keyVariable, timeout: timeout)
    }

    /// What the describer throws when the server gives these answers.
    func error(_ answers: [LocalServer.Answer], timeout: Double = 20) throws -> SearchError? {
        let server = try LocalServer(answers)
        defer { server.close() }
        let describer = try describer(server.url, timeout: timeout)
        return #expect(throws: SearchError.self) { try describer.descriptions(request) }
    }

    static let good =
        "1. A cat with a leash.\n2) A cat beside two bones and a leash.\n\n- \"A black cat holds an identity card.\"\n"

    @Test func goodAnswerIsReadWithoutItsNumbers() throws {
        let server = try LocalServer([.chat(Self.good)])
        defer { server.close() }
        let found = try describer(server.url).descriptions(request)
        #expect(
            found == [
                PictureDescription(text: "A cat with a leash.", phrases: ["leash"]),
                PictureDescription(text: "A cat beside two bones and a leash.", phrases: ["leash", "bone"]),
                PictureDescription(text: "A black cat holds an identity card.", phrases: ["identity card"]),
            ])
        let sent = try #require(server.requests.first)
        #expect(sent.head.hasPrefix("POST /v1/chat/completions HTTP/1.1"))
        #expect(!sent.head.lowercased().contains("authorization"))
        let body = try #require(JSONSerialization.jsonObject(with: sent.body) as? [String: Any])
        #expect(
            body["model"] as? String == "tiny" && body["temperature"] as? Double == 0.5 && body["seed"] as? Int == 5)
        let message = try #require((body["messages"] as? [[String: Any]])?.first?["content"] as? String)
        for part in ["cat", "dog", "identity card", "3 different"] { #expect(message.contains(part)) }
    }

    @Test func keyIsSentButNotKept() throws {
        let variable = "CLIP_LENS_TEST_KEY"
        setenv(variable, "secret-key-123", 1)
        defer { unsetenv(variable) }
        let server = try LocalServer([.json(status: 401, "bad key secret-key-123")])
        defer { server.close() }
        let describer = try describer(server.url, keyVariable: variable)
        let error = #expect(throws: SearchError.self) { try describer.descriptions(request) }
        #expect(error == .httpStatus(url: server.url + "/chat/completions", code: 401, body: "bad key …"))
        #expect(server.requests.first?.head.contains("Bearer secret-key-123") == true)
        #expect(!"\(describer.identity)".contains("secret") && !"\(describer)".contains("secret"))
        unsetenv(variable)
        #expect(throws: SearchError.missingKey(variable: variable)) { try describer.descriptions(request) }
        setenv(variable, "two\r\nlines", 1)
        #expect(throws: SearchError.missingKey(variable: variable)) { try describer.descriptions(request) }
    }

    @Test func invalidLinesAreAskedForAgain() throws {
        let server = try LocalServer([
            .chat(
                "A cat and a dog.\nA cat chases dogs.\nA tree.\nA cat with a bone.\nCatalogue.\n"
                    + String(repeating: "cat ", count: 200)),
            .chat("A cat with a bone."), .chat(Self.good),
        ])
        defer { server.close() }
        let found = try describer(server.url).descriptions(request)
        #expect(
            found.map(\.text) == ["A cat with a bone.", "A cat with a leash.", "A cat beside two bones and a leash."])
        let bodies = server.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.count == 3 && bodies[1].contains("Write 2 different") && bodies[1].contains("\"seed\":6"))
    }

    @Test func onlyForbiddenWordsAreAnError() throws {
        let bad = LocalServer.Answer.chat("A cat and a dog.\nA cat with a bone and hot dogs.")
        #expect(try error([bad, .chat("A cat."), bad, bad]) == .tooFewDescriptions(accepted: 1, wanted: 3))
    }

    @Test func statusIsReportedWithItsBody() throws {
        let error = try error([.json(status: 500, String(repeating: "é", count: 500))])
        guard case .httpStatus(_, 500, let body)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(body == String(repeating: "é", count: 200))
    }

    @Test func redirectionIsNotFollowed() throws {
        let server = try LocalServer([.chat(Self.good)])
        defer { server.close() }
        let error = try error([
            .raw("HTTP/1.1 307 Moved\r\nLocation: \(server.url)/chat/completions\r\nContent-Length: 0\r\n\r\n")
        ])
        guard case .httpStatus(_, 307, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: ["<html>busy</html>", "", "{\"choices\": ["]) func garbageIsNotJSON(body: String) throws {
        guard case .notJSON(_, body)? = try error([.json(body)]) else {
            Issue.record("not reported")
            return
        }
    }

    @Test(arguments: [
        "{}", "[]", "{\"choices\": []}", "{\"choices\": [{}]}", "{\"choices\": [{\"message\": {\"content\": null}}]}",
        "{\"choices\": 3}", "7",
    ])
    func otherJSONHasNoChoices(body: String) throws {
        guard case .noChoices? = try error([.json(body)]) else {
            Issue.record("not reported")
            return
        }
    }

    @Test func silenceTimesOut() throws {
        let start = ContinuousClock.now
        guard case .timedOut(_, 0.5)? = try error([.silence], timeout: 0.5) else {
            Issue.record("not reported")
            return
        }
        guard case .timedOut(_, 0.5)? = try error([.trickle], timeout: 0.5) else {
            Issue.record("trickle not reported")
            return
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func floodIsCutOff() throws {
        guard case .replyTooLarge? = try error([.flood], timeout: 5) else {
            Issue.record("not reported")
            return
        }
    }

    @Test func cancelledDescriptionsAreNotWaitedFor() throws {
        let server = try LocalServer([.silence])
        defer { server.close() }
        let start = ContinuousClock.now
        let describer = try describer(server.url, timeout: 600)
        #expect(throws: SearchError.cancelled) { try describer.descriptions(request) { !server.requests.isEmpty } }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func whatIsNoServerIsUnreachable() throws {
        let server = try LocalServer([])
        server.close()
        usleep(50_000)
        guard
            case .unreachable? = (#expect(throws: SearchError.self) { try describer(server.url).descriptions(request) })
        else {
            Issue.record("not reported")
            return
        }
        guard case .unreachable? = try error([.raw("")]) else {
            Issue.record("an empty answer is not reported")
            return
        }
    }

    @Test(arguments: [
        ("ftp://host/v1", "ftp://host/v1"), ("file:///etc/passwd", "file:///etc/passwd"), ("nonsense", "nonsense"),
        ("", ""),
        ("http://user:word@host/v1", "…@host/v1"), ("https://host/v1?key=word", "https://host/v1"),
        ("http:///v1", "http:///v1"),
    ])
    func otherAddressesAreRefusedWithoutTheirSecrets(url: String, shown: String) {
        #expect(throws: SearchError.unsupportedURL(shown)) { try describer(url) }
    }

    /// Names that only look like this machine's are others'.
    @Test(arguments: [
        "http://host/v1", "http://127.0.0.1.example.org/v1", "http://localhost.example.org/v1", "http://128.0.0.1/v1",
        "http://[::2]/v1",
        "http://0.0.0.0/v1", "http://[fe80::1]/v1", "HTTP://host/v1",
    ])
    func nothingGoesToAnotherMachineInTheClear(url: String) {
        #expect(throws: SearchError.insecureURL(url)) { try describer(url) }
        #expect(throws: Never.self) { try describer("https" + url.dropFirst(4)) }
    }

    @Test(arguments: [
        "http://localhost:1/v1", "http://LOCALHOST/v1", "http://127.0.0.1/v1", "http://127.9.8.7:80/v1",
        "http://[::1]:1/v1",
    ])
    func thisMachineNeedsNoEncryption(url: String) {
        #expect(throws: Never.self) { try describer(url) }
    }

    @Test func impossibleSettingsAreRefused() {
        for (temperature, timeout) in [(Double.nan, 1.0), (-1, 1), (1, 0), (1, .infinity)] {
            let error = #expect(throws: SearchError.self) {
                try ChatDescriber(url: "https://host", model: "m", temperature: temperature, timeout: timeout)
            }
            guard case .settingOutOfRange? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
