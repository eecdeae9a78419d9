import Foundation
import Inputs
import TestSupport
import Testing

@Suite struct PromptSetTests {
    private static let prompts = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../../models/prompts").standardizedFileURL

    @Test func imageNetsWords() throws {
        let set = try PromptSet(
            classNames: Self.prompts.appendingPathComponent("imagenet-classes.txt"),
            templates: Self.prompts.appendingPathComponent("templates-80.txt"))
        #expect(set.classNames.count == 1000 && set.templates.count == 80)
        #expect(set.sentences(0).first == "a bad photo of a tench.")
        #expect(set.sentences(999).last == "a tattoo of the toilet paper.")
        let classes = try ImageNetClasses(
            wnids: Self.prompts.appendingPathComponent("imagenet-wnids.txt"),
            names: Self.prompts.appendingPathComponent("imagenet-classes.txt"))
        #expect(classes.wnids.first == "n01440764" && classes.wnids.last == "n15075141")
    }

    @Test(arguments: [
        ("a photo.", "line 1"), ("a {}.\n{} and {}.", "line 2"), ("a {}.\n\nthe {}.", "line 2"),
        ("\u{20}\n{}", "line 1"),
    ])
    func foreignTemplatesAreRefused(text: String, place: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("t.txt", text)
        guard case .malformedFile(file.path, place, _)? = inputError({ try PromptSet.templates(file) }) else {
            Issue.record("not refused at \(place)")
            return
        }
    }

    @Test func emptyFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("t.txt", "\n\n")
        guard case .noLines(file.path, _)? = dataSetError({ try PromptSet.classNames(file) }) else {
            Issue.record("not refused")
            return
        }
        #expect(throws: InputError.self) { try PromptSet.classNames(folder.file("u.txt", Data([0xFF, 0xFE, 0x41]))) }
    }
}
