import Foundation
import Foundations

/// One picture that lies by itself.
public struct PictureOnDisk: Sendable {
    public let image: RGBImage
    /// SHA-256 of the file.
    public let sha256: String

    /// Reads a PNG or JPEG file.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/imageNotRead(path:reason:)``,
    ///   ``InputError/pictureRefused(name:fault:)``.
    public init(contentsOf url: URL) throws {
        let bytes: Data
        do {
            bytes = try RegularFile.contents(of: url.path, limit: FileLimit.picture)
        } catch .missing {
            throw InputError.missingFile(path: url.path, purpose: "the picture to look at")
        } catch {
            throw InputError.imageNotRead(path: url.path, reason: error.text)
        }
        image = try PictureDecoder.decode(bytes, name: url.path)
        sha256 = Digest.sha256(of: bytes)
    }
}
