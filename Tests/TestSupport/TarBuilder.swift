/// Writes tars, also such as no archiver would write.
public struct TarBuilder {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func add(
        _ name: [UInt8], kind: Character = "0", size: Int? = nil, data: [UInt8] = [],
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Collection<UInt8>, at offset: Int) {
            header.replaceSubrange(offset..<offset + text.count, with: text)
        }
        put(name.prefix(100), at: 0)
        put("0000644".utf8, at: 100)
        put(octal(size ?? data.count, digits: 11), at: 124)
        put([kind.asciiValue ?? 0], at: 156)
        put("ustar\u{0}00".utf8, at: 257)
        change(&header)
        header.replaceSubrange(148..<156, with: repeatElement(UInt8(ascii: " "), count: 8))
        header.replaceSubrange(148..<154, with: octal(header.reduce(0) { $0 + Int($1) }, digits: 6))
        bytes += header + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    public mutating func add(_ name: String, kind: Character = "0", size: Int? = nil, data: String = "") {
        add(Array(name.utf8), kind: kind, size: size, data: Array(data.utf8))
    }

    /// The archive with its end mark.
    public var closed: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private func octal(_ value: Int, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
}
