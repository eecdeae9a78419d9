import DenseMath
import Foundation
import Pipeline
import Safetensors

/// Named columns of numbers, such as what a classifier says of every image.
///
/// A type lists its columns once; how it is stored, read, checked and joined follows from the list. Columns with rows of
/// the same things (images, neurons, pairs of an image and a label) have to have as many of them.
///
/// ```swift
/// struct Answers: ColumnTable {
///     var labels: [Int32] = []       // [images]
///     var cosines: [Float] = []      // [images, classes]
///     var classes = 0
///
///     static let columns: [Column<Self>] = [
///         .shared("classes", \.classes),
///         .rows("labels", \.labels),
///         .rows("cosines", \.cosines) { [$0.classes] },
///     ]
/// }
/// ```
protocol ColumnSet: Sendable {
    /// Columns without rows.
    init()
    /// What others depend on comes first: a column's width may be told by those before it.
    static var columns: [Column<Self>] { get }
    /// Looks, after all columns were read, at conditions that shapes do not tell, and makes what follows from the columns.
    /// - Throws: `PipelineError.invalidArtefact`.
    mutating func check() throws
    /// Puts the rows of another part below; what is shared by all rows stays.
    mutating func append(_ next: Self)
}

extension ColumnSet {
    /// - Throws: `PipelineError.invalidArtefact` for a column that is missing, of another shape or of another length than
    ///   those with rows of the same things; `SafetensorsError`.
    init(_ stored: StoredColumns) throws {
        self.init()
        var lengths: [String: (column: String, rows: Int)] = [:]
        for column in Self.columns {
            try column.read(stored, &self)
            guard let (axis, rows) = column.rows(self) else { continue }
            if let first = lengths[axis], first.rows != rows {
                throw stored.invalid(column.name, "\(rows) \(axis), where '\(first.column)' has \(first.rows)")
            }
            lengths[axis] = (column.name, rows)
        }
        try check()
    }

    /// The stored columns by name.
    func tensors() throws -> [String: StoredTensor] {
        try Self.columns.reduce(into: [:]) { all, column in all.merge(try column.write(self)) { first, _ in first } }
    }

    mutating func check() throws {}

    mutating func append(_ next: Self) {
        for column in Self.columns { column.append(next, &self) }
    }
}

/// Columns that are an artefact of their own.
protocol ColumnTable: ColumnSet, Artefact {}

extension ColumnTable {
    /// - Throws: as `init(_:)` of columns; `PipelineError.wrongArtefactForm`.
    init(_ stored: StoredArtefact) throws {
        guard case .tensors(let tensors, _) = stored else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        try self.init(StoredColumns(tensors: tensors))
    }

    func stored() throws -> StoredArtefact { .tensors(try tensors()) }
}

/// The stored tensors of a table, or of one of several tables that are stored together.
struct StoredColumns {
    let tensors: [String: StoredTensor]
    /// Before the name of every column.
    var prefix = ""

    /// - Throws: `PipelineError.invalidArtefact` where there is none of that name.
    func tensor(_ name: String) throws -> StoredTensor {
        guard let tensor = tensors[prefix + name] else { throw invalid(name, "missing") }
        return tensor
    }

    func invalid(_ name: String, _ reason: String) -> PipelineError {
        .invalidArtefact(part: prefix + name, reason: reason)
    }

    func with(prefix inner: String) -> StoredColumns { StoredColumns(tensors: tensors, prefix: prefix + inner) }
}

/// One column of a ``ColumnSet``, or several that belong together.
struct Column<Table>: Sendable {
    let name: String
    let read: @Sendable (StoredColumns, inout Table) throws -> Void
    let write: @Sendable (Table) throws -> [String: StoredTensor]
    let append: @Sendable (Table, inout Table) -> Void
    /// What the rows are of, and how many; nil for a column without rows.
    let rows: @Sendable (Table) -> (of: String, count: Int)?
}

// MARK: - Numbers

/// A number that columns are made of.
protocol ColumnNumber: Numeric, Sendable {
    static func numbers(of tensor: StoredTensor) throws -> [Self]
    static func stored(_ numbers: [Self], shape: [Int]) throws -> StoredTensor
}

extension Float: ColumnNumber {
    static func numbers(of tensor: StoredTensor) throws -> [Float] { try tensor.floats() }
    static func stored(_ numbers: [Float], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers, shape: shape)
    }
}

extension Double: ColumnNumber {
    static func numbers(of tensor: StoredTensor) throws -> [Double] { try tensor.doubles() }
    static func stored(_ numbers: [Double], shape: [Int]) throws -> StoredTensor {
        try StoredTensor(numbers, shape: shape)
    }
}

extension Int32: ColumnNumber {
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

    /// Numbers that are the same for all rows, such as layers.
    static func shared<Number: ColumnNumber>(_ name: String, _ path: Path<[Number]>) -> Column {
        Column(
            name: name,
            read: { stored, table in
                let tensor = try stored.tensor(name)
                guard tensor.shape.count == 1 else {
                    throw stored.invalid(name, "shape \(tensor.shape), expected a list")
                }
                table[keyPath: path] = try Number.numbers(of: tensor)
            },
            write: { [name: try Number.stored($0[keyPath: path], shape: [$0[keyPath: path].count])] },
            append: { next, table in if table[keyPath: path].isEmpty { table[keyPath: path] = next[keyPath: path] } },
            rows: { _ in nil })
    }

    /// A number that is the same for all rows, such as how many cases a row has; 0 where it is not known yet.
    static func shared<Number: ColumnNumber>(_ name: String, _ path: Path<Number>) -> Column {
        Column(
            name: name,
            read: { stored, table in
                let tensor = try stored.tensor(name)
                guard tensor.shape == [1], let value = try Number.numbers(of: tensor).first else {
                    throw stored.invalid(name, "shape \(tensor.shape), expected one number")
                }
                table[keyPath: path] = value
            },
            write: { [name: try Number.stored([$0[keyPath: path]], shape: [1])] },
            append: { next, table in if table[keyPath: path] == .zero { table[keyPath: path] = next[keyPath: path] } },
            rows: { _ in nil })
    }

    /// A tensor that is the same for all rows.
    static func shared(_ name: String, _ path: Path<Tensor>, dimensions: Int) -> Column {
        Column(
            name: name,
            read: { stored, table in table[keyPath: path] = try Self.tensor(stored, name, dimensions: dimensions) },
            write: { [name: try $0[keyPath: path].stored()] },
            append: { next, table in
                if table[keyPath: path].elements.isEmpty { table[keyPath: path] = next[keyPath: path] }
            },
            rows: { _ in nil })
    }

    private static func tensor(_ stored: StoredColumns, _ name: String, dimensions: Int) throws -> Tensor {
        let tensor = try stored.tensor(name)
        guard tensor.shape.count == dimensions else {
            throw stored.invalid(name, "shape \(tensor.shape), expected \(dimensions) dimensions")
        }
        return Tensor(shape: tensor.shape, elements: try tensor.floats())
    }
}

// MARK: - Other than numbers

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

    /// Bytes that are the same for all rows, such as a picture's file.
    static func file(_ name: String, _ path: Path<Data>) -> Column {
        Column(
            name: name, read: { stored, table in table[keyPath: path] = Data(try stored.tensor(name).uint8s()) },
            write: {
                [name: try StoredTensor(type: .uint8, shape: [$0[keyPath: path].count], data: $0[keyPath: path])]
            },
            append: { next, table in if table[keyPath: path].isEmpty { table[keyPath: path] = next[keyPath: path] } },
            rows: { _ in nil })
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

// MARK: - Tables within tables

extension Column {
    /// A table of its own, whose columns' names begin with `prefix`.
    static func table<Inner: ColumnSet>(_ prefix: String, _ path: Path<Inner>) -> Column {
        Column(
            name: prefix, read: { stored, table in table[keyPath: path] = try Inner(stored.with(prefix: prefix)) },
            write: { try $0[keyPath: path].tensors().prefixed(prefix) },
            append: { next, table in table[keyPath: path].append(next[keyPath: path]) },
            rows: { table in Inner.columns.lazy.compactMap { $0.rows(table[keyPath: path]) }.first })
    }

    /// A table of each of some layers; those of one layer are put one below the other.
    static func layers<Inner: ColumnSet>(_ path: Path<[Int: Inner]>) -> Column {
        Column(
            name: "layers",
            read: { stored, table in
                table[keyPath: path] = try stored.tensor("layers").int32s().reduce(into: [:]) {
                    $0[Int($1)] = try Inner(stored.with(prefix: "\($1)."))
                }
            },
            write: { table in
                let layers = table[keyPath: path].sorted { $0.key < $1.key }
                return try layers.reduce(into: [
                    "layers": StoredTensor(layers.map { Int32($0.key) }, shape: [layers.count])
                ]) {
                    $0.merge(try $1.value.tensors().prefixed("\($1.key).")) { first, _ in first }
                }
            },
            append: { next, table in
                table[keyPath: path].merge(next[keyPath: path]) { first, second in
                    var joined = first
                    joined.append(second)
                    return joined
                }
            }, rows: { _ in nil })
    }
}

extension [String: StoredTensor] {
    fileprivate func prefixed(_ prefix: String) -> Self { Dictionary(uniqueKeysWithValues: map { (prefix + $0, $1) }) }
}

/// A table of each of some layers, and nothing beside.
struct ByLayer<Table: ColumnSet>: ColumnTable {
    var layers: [Int: Table] = [:]

    init() {}
    init(layers: [Int: Table]) { self.layers = layers }

    static var columns: [Column<Self>] { [.layers(\.layers)] }

    /// The table of a layer.
    /// - Throws: `PipelineError.invalidArtefact` where there is none.
    func layer(_ layer: Int) throws -> Table {
        guard let table = layers[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
        }
        return table
    }
}
