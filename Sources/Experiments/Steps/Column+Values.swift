import DenseMath
import Foundation
import Pipeline
import Safetensors

// What a column may hold: numbers, texts, files and lists, for each row or for all of them.

/// A number that columns are made of.
protocol ColumnNumber: Numeric, Sendable {
    /// Whether equal quantities may differ in their last digits.
    static var isRounded: Bool { get }
    static func numbers(of tensor: StoredTensor) throws -> [Self]
    static func stored(_ numbers: [Self], shape: [Int]) throws -> StoredTensor
}

extension Float: ColumnNumber {
    static var isRounded: Bool { true }
    static func numbers(of tensor: StoredTensor) throws -> [Float] { try tensor.floats() }
    static func stored(_ numbers: [Float], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers, shape: shape)
    }
}

extension Double: ColumnNumber {
    static var isRounded: Bool { true }
    static func numbers(of tensor: StoredTensor) throws -> [Double] { try tensor.doubles() }
    static func stored(_ numbers: [Double], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers, shape: shape)
    }
}

extension Int32: ColumnNumber {
    static var isRounded: Bool { false }
    static func numbers(of tensor: StoredTensor) throws -> [Int32] { try tensor.int32s() }
    static func stored(_ numbers: [Int32], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers, shape: shape)
    }
}

extension Tensor {
    /// The tensor as a stored one.
    func stored() throws -> StoredTensor { try StoredTensor(elements, shape: shape) }
}

/// Stored in 32 bits: counts and indices.
extension Int: ColumnNumber {
    static var isRounded: Bool { false }
    static func numbers(of tensor: StoredTensor) throws -> [Int] { try tensor.int32s().map(Int.init) }
    static func stored(_ numbers: [Int], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers.map(Int32.init), shape: shape)
    }
}

extension Column {
    typealias Path<Value> = WritableKeyPath<Table, Value> & Sendable

    /// A list of numbers, some for each row.
    /// - Parameters:
    ///   - axis: what the rows are of.
    ///   - width: the shape of a row's numbers; empty for one number.
    static func rows<Number: ColumnNumber>(
        _ name: String, _ path: Path<[Number]>, of axis: String = "images",
        width: @escaping @Sendable (Table) -> [Int] = { _ in [] }
    ) -> Column {
        @Sendable func count(_ table: Table) -> Int { table[keyPath: path].count / max(width(table).reduce(1, *), 1) }
        return Column(
            name: name,
            read: { stored, table in
                let tensor = try stored.tensor(name)
                guard !tensor.shape.isEmpty, Array(tensor.shape.dropFirst()) == width(table) else {
                    throw stored.invalid(
                        name,
                        "shape \(tensor.shape), expected [\(([axis] + width(table).map(String.init)).joined(separator: ", "))]"
                    )
                }
                table[keyPath: path] = try Number.numbers(of: tensor)
            },
            write: { [name: try Number.stored($0[keyPath: path], shape: [count($0)] + width($0))] },
            append: { $1[keyPath: path] += $0[keyPath: path] }, rows: { (axis, count($0)) })
    }

    /// A tensor whose first dimension are rows; all of them have one width, which is the table's own.
    static func rows(_ name: String, _ path: Path<Tensor>, of axis: String = "images", dimensions: Int = 2) -> Column {
        Column(
            name: name,
            read: { stored, table in table[keyPath: path] = try Self.tensor(stored, name, dimensions: dimensions) },
            write: { [name: try $0[keyPath: path].stored()] },
            append: { next, table in
                let (rows, width) = (table[keyPath: path].shape[0], table[keyPath: path].shape.dropFirst())
                let next = next[keyPath: path]
                guard rows > 0 else { return table[keyPath: path] = next }
                // Taken out while it grows: else each part would copy all that came before it.
                var elements = table[keyPath: path].elements
                table[keyPath: path] = Tensor(zeros: [0])
                elements += next.elements
                table[keyPath: path] = Tensor(shape: [rows + next.shape[0]] + width, elements: elements)
            }, rows: { (axis, $0[keyPath: path].shape[0]) })
    }

    /// Bytes, some for each row, that stay in their file.
    /// - Parameter width: the shape of a row's bytes.
    static func bytes(
        _ name: String, _ path: Path<Data>, of axis: String = "images", width: @escaping @Sendable (Table) -> [Int]
    ) -> Column {
        @Sendable func count(_ table: Table) -> Int { table[keyPath: path].count / max(width(table).reduce(1, *), 1) }
        return Column(
            name: name,
            read: { stored, table in
                let tensor = try stored.tensor(name)
                guard tensor.type == .uint8, !tensor.shape.isEmpty, Array(tensor.shape.dropFirst()) == width(table)
                else {
                    throw stored.invalid(name, "\(tensor.type) of shape \(tensor.shape)")
                }
                table[keyPath: path] = tensor.data
            },
            write: { [name: try StoredTensor(type: .uint8, shape: [count($0)] + width($0), data: $0[keyPath: path])] },
            append: { $1[keyPath: path].append($0[keyPath: path]) }, rows: { (axis, count($0)) })
    }

    /// Numbers that are the same for all rows, such as layers; none where they are not known yet.
    static func shared<Number: ColumnNumber>(_ name: String, _ path: Path<[Number]>) -> Column {
        shared(
            name, path, isKnown: { !$0.isEmpty },
            read: { stored in
                let tensor = try stored.tensor(name)
                guard tensor.shape.count == 1 else {
                    throw stored.invalid(name, "shape \(tensor.shape), expected a list")
                }
                return try Number.numbers(of: tensor)
            }, write: { try Number.stored($0, shape: [$0.count]) }, agree: { Number.isRounded || $0 == $1 })
    }

    /// A number that is the same for all rows, such as how many cases a row has; 0 where it is not known yet.
    static func shared<Number: ColumnNumber>(_ name: String, _ path: Path<Number>) -> Column {
        shared(
            name, path, isKnown: { $0 != .zero },
            read: { stored in
                let tensor = try stored.tensor(name)
                guard tensor.shape == [1], let value = try Number.numbers(of: tensor).first else {
                    throw stored.invalid(name, "shape \(tensor.shape), expected one number")
                }
                return value
            }, write: { try Number.stored([$0], shape: [1]) }, agree: { Number.isRounded || $0 == $1 })
    }

    /// A tensor that is the same for all rows.
    static func shared(_ name: String, _ path: Path<Tensor>, dimensions: Int) -> Column {
        shared(
            name, path, isKnown: { !$0.elements.isEmpty },
            read: { try Self.tensor($0, name, dimensions: dimensions) }, write: { try $0.stored() },
            agree: { $0.shape == $1.shape })
    }

    /// Bytes that are the same for all rows, such as a picture's file.
    static func file(_ name: String, _ path: Path<Data>) -> Column {
        shared(
            name, path, isKnown: { !$0.isEmpty }, read: { Data(try $0.tensor(name).uint8s()) },
            write: { try StoredTensor(type: .uint8, shape: [$0.count], data: $0) }, agree: { $0 == $1 })
    }

    /// - Parameters:
    ///   - isKnown: false for the value of a table that has seen no part.
    ///   - agree: whether the values of two parts may stand in one table; that of the first stays.
    private static func shared<Value>(
        _ name: String, _ path: Path<Value>, isKnown: @escaping @Sendable (Value) -> Bool,
        read: @escaping @Sendable (StoredColumns) throws -> Value,
        write: @escaping @Sendable (Value) throws -> StoredTensor,
        agree: @escaping @Sendable (Value, Value) -> Bool
    ) -> Column {
        Column(
            name: name, read: { stored, table in table[keyPath: path] = try read(stored) },
            write: { [name: try write($0[keyPath: path])] },
            append: { next, table in
                guard isKnown(table[keyPath: path]) else { return table[keyPath: path] = next[keyPath: path] }
                guard !isKnown(next[keyPath: path]) || agree(table[keyPath: path], next[keyPath: path]) else {
                    throw PipelineError.invalidArtefact(part: name, reason: "it differs between the parts of one table")
                }
            }, rows: { _ in nil })
    }

    private static func tensor(_ stored: StoredColumns, _ name: String, dimensions: Int) throws -> Tensor {
        let tensor = try stored.tensor(name)
        guard tensor.shape.count == dimensions else {
            throw stored.invalid(name, "shape \(tensor.shape), expected \(dimensions) dimensions")
        }
        return Tensor(shape: tensor.shape, elements: try tensor.floats())
    }
}

// MARK: - Of any length

extension Column {
    /// A text a row.
    static func texts(_ name: String, _ path: Path<[String]>, of axis: String = "images") -> Column {
        lists(name, Column<Table>.bytes, path, of: axis) {
            Array($0.utf8)
        } decode: { bytes, invalid in
            guard let text = String(validating: bytes, as: UTF8.self) else { throw invalid("a text that is not UTF-8") }
            return text
        }
    }

    /// Bytes a row, such as a picture's file.
    static func files(_ name: String, _ path: Path<[Data]>, of axis: String) -> Column {
        lists(name, Column<Table>.bytes, path, of: axis) {
            Array($0)
        } decode: { bytes, _ in
            Data(bytes)
        }
    }

    /// A list of whole numbers a row, of any length.
    static func lists(_ name: String, _ path: Path<[[Int32]]>, of axis: String = "images") -> Column {
        lists(
            name, Stored(read: { try $0.int32s() }, write: { try StoredTensor($0, shape: [$0.count]) }), path, of: axis
        ) {
            $0
        } decode: { numbers, _ in
            Array(numbers)
        }
    }

    private struct Stored<Element>: Sendable {
        let read: @Sendable (StoredTensor) throws -> [Element]
        let write: @Sendable ([Element]) throws -> StoredTensor
    }

    private static var bytes: Stored<UInt8> {
        Stored(read: { try $0.uint8s() }, write: { try StoredTensor($0, shape: [$0.count]) })
    }

    /// Lists one after the other, and how long each is.
    private static func lists<Element, Value>(
        _ name: String, _ form: Stored<Element>, _ path: Path<[Value]>, of axis: String,
        encode: @escaping @Sendable (Value) -> [Element],
        decode: @escaping @Sendable (ArraySlice<Element>, (String) -> PipelineError) throws -> Value
    ) -> Column {
        let lengthsName = name + "-lengths"
        return Column(
            name: name,
            read: { stored, table in
                let (all, lengths) = (try form.read(stored.tensor(name)), try stored.tensor(lengthsName).int32s())
                guard lengths.allSatisfy({ $0 >= 0 }), lengths.reduce(0, { $0 + Int($1) }) == all.count else {
                    throw stored.invalid(lengthsName, "not the lengths of \(all.count) elements")
                }
                var start = 0
                table[keyPath: path] = try lengths.map { length in
                    defer { start += Int(length) }
                    return try decode(all[start..<start + Int(length)]) { stored.invalid(name, $0) }
                }
            },
            write: { table in
                let lists = table[keyPath: path].map(encode)
                return [
                    name: try form.write(lists.flatMap { $0 }),
                    lengthsName: try StoredTensor(lists.map { Int32($0.count) }, shape: [lists.count]),
                ]
            },
            append: { $1[keyPath: path] += $0[keyPath: path] }, rows: { (axis, $0[keyPath: path].count) })
    }
}
