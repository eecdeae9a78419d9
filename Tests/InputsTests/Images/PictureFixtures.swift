import Foundation
import Inputs
import Testing

/// Files by `scripts/make_picture_fixtures.py`, and what Pillow and torchvision make of them.
enum PictureFixtures {
    static let folder = "Pictures"

    struct Sound: Decodable {
        let file: String
        let width: Int
        let height: Int
        /// SHA-256 of `convert("RGB")`.
        let rgb: String
        /// SHA-256 of CLIP's square. // [224, 224, 3]
        let clip224: String
        /// SHA-256 of the stored samples as 16-bit numbers, where Pillow gives them.
        let samples: String?
        let pixels: Data?
    }

    struct Odd: Decodable {
        let file: String
        /// Absent where Pillow refuses the file.
        let rgb: String?
    }

    struct Square: Decodable {
        let file: String
        let size: Int
        let edge: Int?
        let mode: String
        let filter: String
        let fill: UInt8
        let square: String
        let pixels: Data?
    }

    static func sound() throws -> [Sound] { try Fixtures.cases(Sound.self, "\(folder)/sound.json") }
    static func odd() throws -> [Odd] { try Fixtures.cases(Odd.self, "\(folder)/odd.json") }
    static func squares() throws -> [Square] { try Fixtures.cases(Square.self, "\(folder)/squares.json") }

    static func data(_ kind: String, _ file: String) throws -> Data {
        try Data(contentsOf: Fixtures.folder.appendingPathComponent("\(folder)/\(kind)/\(file)"))
    }
}

/// Where two pictures of one width differ first, in words.
func firstDifference(_ found: [UInt8], _ expected: Data, width: Int) -> String {
    guard found.count == expected.count else { return "\(found.count) bytes instead of \(expected.count)" }
    guard let place = zip(found, expected).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset else {
        return "equal"
    }
    let (pixel, channel) = (place / 3, place % 3)
    return "pixel (\(pixel % width), \(pixel / width)), channel \(channel): "
        + "\(found[place]) instead of \(expected[expected.startIndex + place])"
}
