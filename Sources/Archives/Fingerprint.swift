/// A digest by which a kept index recognises its archive without reading it.
///
/// It covers 512 bytes in front of the data of 64 entries spread evenly over the archive (which in a tar
/// is their header, in a zip file the local header and what precedes it), and the first and last 512
/// bytes of the file (in a zip file the end of its directory). Entries of a compressed tar have no place
/// in the file; there the samples are spread over the compressed bytes. That makes 66 short reads,
/// however large the archive is. Each later read of an entry checks that entry's own header or CRC.
enum Fingerprint {
    private static let samples = 64
    private static let sampleBytes = 512

    static func of(
        _ file: RandomAccessFile, format: ArchiveIndex.Format, rows: [ArchiveIndex.Row]
    ) throws -> UInt64 {
        var digest = FNV1a()
        var ends = [sampleBytes, file.size]
        switch format {
        case .compressedTar:
            ends += (0..<samples).map { file.size / samples * $0 }
        case .tar, .zip:
            if !rows.isEmpty {
                ends += (0..<samples).map { rows[$0 * (rows.count - 1) / (samples - 1)].offset }
            }
        }
        for end in ends {
            let end = min(end, file.size)
            digest.combine(try file.bytes(max(0, end - sampleBytes)..<end))
        }
        return digest.value
    }
}

/// The 64-bit FNV-1a hash.
struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
        }
    }
}
