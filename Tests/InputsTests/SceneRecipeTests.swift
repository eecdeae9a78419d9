import Foundation
import Inputs
import TestSupport
import Testing

/// A recipe by which no scene can be made is refused before the first scene.
@Suite struct SceneRecipeTests {
    static let impossible: [(key: String, change: @Sendable (inout SceneRecipe) -> Void)] = [
        ("imageSize", { $0.imageSize = 0 }),
        ("imageSize", { $0.imageSize = -64 }),
        ("imageSize", { $0.imageSize = 1 }),
        ("imageSize", { $0.imageSize = 1_000_000_000 }),
        ("imageSize", { $0.imageSize = .max }),
        ("mainScale", { $0.mainScale = 0...0.5 }),
        ("mainScale", { $0.mainScale = 0.5...1e300 }),
        ("secondScale", { $0.secondScale = -1...0.5 }),
        ("secondScale", { $0.secondScale = 0.5 ... .infinity }),
        ("secondObjectProbability", { $0.secondObjectProbability = .nan }),
        ("secondObjectProbability", { $0.secondObjectProbability = 1.5 }),
        ("rotation", { $0.rotation = -0.1 }),
        ("rotation", { $0.rotation = .infinity }),
        ("channelGain", { $0.channelGain = -0.1 }),
        ("channelGain", { $0.channelGain = .nan }),
        ("hueTurn", { $0.hueTurn = -1 }),
        ("greyProbability", { $0.greyProbability = -.leastNonzeroMagnitude }),
        ("clutter", { $0.clutter = -1 }),
        ("clutter", { $0.clutter = .max }),
    ]

    @Test(arguments: impossible.indices) func compositorRefuses(_ index: Int) throws {
        let (key, change) = Self.impossible[index]
        let error = inputError { try World.compositor(change) }
        guard case .recipeOutOfRange(key, let value, let allowed)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!allowed.contains(value))
    }

    @Test func defaultsAreValid() throws {
        #expect(try SceneRecipe().validated() == SceneRecipe())
    }

    @Test func missingKeysKeepTheirDefaults() throws {
        let folder = try TemporaryFolder()
        let recipe = try SceneRecipe(
            contentsOf: folder.file("recipe.json", #"{"imageSize": 96, "mainScale": [0.5, 0.5]}"#))
        var expected = SceneRecipe()
        expected.imageSize = 96
        expected.mainScale = 0.5...0.5
        #expect(recipe == expected)
        #expect(try SceneRecipe(contentsOf: folder.file("empty.json", "{}")) == SceneRecipe())
    }

    @Test func survivesEncoding() throws {
        var recipe = SceneRecipe()
        recipe.secondScale = 0.1...0.2
        recipe.clutter = 7
        #expect(try JSONDecoder().decode(SceneRecipe.self, from: JSONEncoder().encode(recipe)) == recipe)
    }

    /// JSONDecoder gives no place for a number that its type cannot hold, but names the number.
    @Test(arguments: [
        ("", "top level"),
        ("{", "top level"),
        ("[1]", "top level"),
        ("null", "top level"),
        (#"{"imageSize": 0}"#, "imageSize"),
        (#"{"imageSize": 1000000000}"#, "imageSize"),
        (#"{"imageSize": 1e300}"#, "top level"),
        (#"{"imageSize": 64.5}"#, "top level"),
        (#"{"imageSize": "64"}"#, "imageSize"),
        (#"{"mainScale": [0.9, 0.4]}"#, "mainScale"),
        (#"{"mainScale": [0.9]}"#, "mainScale.Index 1"),
        (#"{"mainScale": 0.9}"#, "mainScale"),
        (#"{"mainScale": [-3, 0.4]}"#, "mainScale"),
        (#"{"rotation": NaN}"#, "line 1"),
        (#"{"rotation": 1e999}"#, "top level"),
        (#"{"rotation": "NaN"}"#, "rotation"),
        (#"{"channelGain": 2}"#, "channelGain"),
        (#"{"channelgain": 0.5}"#, "channelgain"),
    ])
    func malformedFileIsRefusedAtItsPlace(text: String, place: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("recipe.json", text)
        let error = inputError { try SceneRecipe(contentsOf: file) }
        guard case .malformedFile(file.path, let found, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == place)
    }

    @Test func deepNestingIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("recipe.json", String(repeating: "[", count: 1_000_000))
        guard case .malformedFile(file.path, _, _)? = inputError({ try SceneRecipe(contentsOf: file) }) else {
            Issue.record("not reported as malformed")
            return
        }
    }

    @Test func missingFileIsNamed() throws {
        let file = URL(fileURLWithPath: "/nowhere/recipe.json")
        #expect(
            inputError { try SceneRecipe(contentsOf: file) }
                == .missingFile(path: file.path, purpose: "the scene recipe"))
    }
}
