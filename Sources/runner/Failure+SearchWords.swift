import Foundation
import Inputs

extension Failure {
    /// What goes wrong when descriptions or pictures are asked for.
    static func words(_ error: SearchError) -> Failure {
        switch error {
        case .unsupportedURL(let url):
            Failure(
                .badData, "\(url): not an address that descriptions can be asked from",
                fix: "write https://, without password or query; the key goes into an environment variable")
        case .insecureURL(let url):
            Failure(
                .badData, "\(url): texts and keys would go there unencrypted",
                fix: "write https://, which only an address of this machine can do without")
        case .missingKey(let variable):
            Failure(
                .inputMissing, "the environment variable \(variable) holds no usable key",
                fix: "export \(variable)=… before the run, or leave 'key-variable' out for an endpoint without keys")
        case .settingOutOfRange(let name, let value, let allowed):
            Failure(
                .badData, "\(name) is \(value), allowed is \(allowed.lowerBound) to \(allowed.upperBound)",
                fix: "change the value")
        case .unreachable(let url, let reason):
            Failure(
                .inputMissing, "\(url): cannot be reached: \(reason)",
                fix: "check the address and that the server runs; what was described before is kept")
        case .timedOut(let url, let seconds):
            Failure(
                .failed, "\(url): no answer within \(seconds) s", fix: "run the same command again, or raise 'timeout'")
        case .cancelled:
            Failure(.interrupted, "interrupted while descriptions were asked for", fix: "run the same command again")
        case .httpStatus(let url, let code, let body):
            Failure(
                .failed, "\(url): status \(code): \(body)",
                fix: code == 401 || code == 403
                    ? "check the key" : "see what the server says; run the same command again")
        case .replyTooLarge(let url, let limit):
            Failure(
                .failed, "\(url): the answer is longer than \(limit) bytes", fix: "check that this is a chat endpoint")
        case .notJSON(let url, let body):
            Failure(
                .failed, "\(url): the answer is not JSON: \(body)",
                fix: "check that this is an OpenAI-compatible chat endpoint")
        case .noChoices(let url):
            Failure(
                .failed, "\(url): the answer has no choices",
                fix: "check that this is an OpenAI-compatible chat endpoint")
        case .tooFewDescriptions(let accepted, let wanted):
            Failure(
                .failed, "\(accepted) of \(wanted) descriptions name the one class and not the other",
                fix: "ask for fewer descriptions, or take another describer")
        case .contradictoryRequest(let shown, let forbidden):
            Failure(.badData, "no picture can show '\(shown)' without '\(forbidden)'", fix: "choose another pair")
        case .unknownConcept(let name):
            Failure(
                .badData, "the emoji world has no concept called '\(name)'",
                fix: "choose one of its names; `runner scenes sheet` shows some")
        case .unusableCommand(let command):
            Failure(
                .badData, "\(command): this is no command",
                fix: "write the program and its arguments as a list: [python3, scripts/serve_pictures.py]")
        case .programNotFound(let program):
            Failure(
                .inputMissing, "the generator's program '\(program)' is not there or cannot be started",
                fix: "install it, or write its path in 'generator.command'")
        case .folderNotMade(let path, let errno):
            Failure(
                .cannotWrite, "\(path): the folder was not made: \(String(cString: strerror(errno)))",
                fix: "check the temporary folder's permissions and room")
        }
    }
}
