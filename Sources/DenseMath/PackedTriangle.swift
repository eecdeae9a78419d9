import CKernels

/// Upper triangular matrices in the layout in which products with them are fastest: no zeros below the
/// diagonal (but for the padding of panels), read from the first number to the last.
public enum PackedTriangle {
    /// Numbers that an n×n triangle takes.
    public static func count(_ n: Int) -> Int { ck_packed_triangle_count(n) }

    /// - Parameters:
    ///   - r: upper triangular. // [n, n]
    ///   - packed: receives ``count(_:)`` numbers.
    public static func pack(_ r: UnsafePointer<Float>, count n: Int, into packed: UnsafeMutablePointer<Float>) {
        ck_pack_triangle(r, n, packed)
    }

    /// out[b] ← ‖R x_b‖². The bytes of an image do not depend on how many run together.
    /// - Parameters:
    ///   - packed: R.
    ///   - x: // [rows, n]
    @inline(__always)
    public static func squares(
        _ packed: UnsafePointer<Float>, count n: Int, _ x: UnsafePointer<Float>, rows: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        KernelProfile.measure(.triangle, operations: rows * n * (n + 1), values: self.count(n) + rows * n) {
            ck_triangle_squares(packed, n, x, rows, out)
        }
    }
}
