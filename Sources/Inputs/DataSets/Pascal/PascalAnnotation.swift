import Foundation
#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The objects of a picture by its XML file in `Annotations`.
struct PascalAnnotation: Equatable {
    struct Object: Equatable {
        var name: String
        var isDifficult: Bool
    }

    var width: Int
    var height: Int
    var objects: [Object]

    /// - Parameter path: for errors.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)``.
    init(_ bytes: [UInt8], path: String) throws {
        // Entities are defined in a document type, which these files do not have; where there is none,
        // nothing can grow and no other file is asked for. In another encoding it would not be seen.
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw InputError.malformedFile(path: path, place: "whole file", expected: "UTF-8 text")
        }
        guard bytes.firstRange(of: Array("<!DOCTYPE".utf8)) == nil else {
            throw InputError.malformedFile(path: path, place: "document type", expected: "an annotation without one")
        }
        let reader = Reader()
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        parser.delegate = reader
        guard parser.parse(), reader.isComplete, let width = reader.width, let height = reader.height, width > 0,
            height > 0
        else {
            throw InputError.malformedFile(
                path: path, place: "line \(parser.lineNumber)",
                expected: "a whole <annotation> with the picture's size and its objects")
        }
        (self.width, self.height, objects) = (width, height, reader.objects)
    }

    /// Takes `annotation/size/…`, `annotation/object/name` and `annotation/object/difficult`; parts of
    /// objects have names of their own.
    private final class Reader: NSObject, XMLParserDelegate {
        private(set) var objects: [Object] = []
        private(set) var width: Int?
        private(set) var height: Int?
        /// `XMLParser` of swift-corelibs-foundation reports success for a file that ends in its middle.
        private(set) var isComplete = false
        private var open: [String] = []
        private var text = ""

        /// Deeper than any annotation.
        private static let depthLimit = 32

        func parser(
            _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(element)
            text = ""
            if open.count > Self.depthLimit { parser.abortParsing() }
            if open == ["annotation", "object"] { objects.append(Object(name: "", isDifficult: false)) }
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
            let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
            switch open {
            case ["annotation", "size", "width"]: width = Int(value)
            case ["annotation", "size", "height"]: height = Int(value)
            case ["annotation", "object", "name"]: objects[objects.count - 1].name = value
            case ["annotation", "object", "difficult"]: objects[objects.count - 1].isDifficult = value == "1"
            case ["annotation"]: isComplete = true
            default: break
            }
            open.removeLast()
            text = ""
        }
    }
}
