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
    /// Looks, after all columns were read, at conditions that shapes do not tell.
    /// - Throws: `PipelineError.invalidArtefact`.
    func check() throws
    /// Puts the rows of another part below; what is shared by all rows stays.
    /// - Throws: `PipelineError.invalidArtefact` for a part that shares other whole numbers with its rows, such as how many
    ///   cases they have.
    mutating func append(_ next: Self) throws
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

    func check() throws {}

    mutating func append(_ next: Self) throws {
        for column in Self.columns { try column.append(next, &self) }
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
    let append: @Sendable (Table, inout Table) throws -> Void
    /// What the rows are of, and how many; nil for a column without rows.
    let rows: @Sendable (Table) -> (of: String, count: Int)?
}

// MARK: - Tables within tables

extension Column {
    /// A table of its own, whose columns' names begin with `prefix`.
    static func table<Inner: ColumnSet>(_ prefix: String, _ path: Path<Inner>) -> Column {
        Column(
            name: prefix, read: { stored, table in table[keyPath: path] = try Inner(stored.with(prefix: prefix)) },
            write: { try $0[keyPath: path].tensors().prefixed(prefix) },
            append: { next, table in try table[keyPath: path].append(next[keyPath: path]) },
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
                for (layer, part) in next[keyPath: path] {
                    try table[keyPath: path][layer, default: Inner()].append(part)
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
