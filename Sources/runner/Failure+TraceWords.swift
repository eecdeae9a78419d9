import Results

extension Failure {
    /// The words for a place in a table that was not found.
    static func words(_ error: NumberPlace.LookupError) -> Failure {
        func listed(_ names: [String]) -> String {
            names.prefix(12).map { "\n       \($0)" }.joined() + (names.count > 12 ? "\n       …" : "")
        }
        switch error {
        case .notFound(let part, let words, let candidates, let nearest):
            let guess = nearest.map { "did you mean '\($0)'? " } ?? ""
            return Failure(
                .usage, "there is no \(part.rawValue) '\(words)'", fix: "\(guess)There are:\(listed(candidates))")
        case .ambiguous(let part, let words, let candidates):
            return Failure(
                .usage, "'\(words)' is part of \(candidates.count) \(part.rawValue)s",
                fix: "say more:\(listed(candidates))")
        }
    }
}
