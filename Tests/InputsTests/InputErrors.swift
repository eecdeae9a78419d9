import Foundation
import Inputs
import Testing

/// The error that `body` throws; a failed expectation when it throws none, or one that is no `InputError`.
func inputError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) -> InputError? {
    #expect(throws: InputError.self, sourceLocation: sourceLocation) { _ = try body() }
}
