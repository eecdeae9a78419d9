import Foundation
import Pipeline
import Testing

@testable import Slurm

/// What a site does when submissions fail.
@Suite struct SiteTests {
    @Test func submissionsThatTheControllerDidNotAnswerAreNoAttempts() throws {
        let slurm = try FakeSlurm(.unanswered, .unanswered, .succeeds)
        try slurm.run(attempts: 1)
        #expect(slurm.submissions == 3)
        #expect(
            slurm.told == ["Slurm's controller does not answer; asking again", "number: one task"], "\(slurm.told)")
    }

    @Test func aControllerThatNeverAnswersSubmissionsIsLeftAfterAWhile() throws {
        let slurm = try FakeSlurm(.unanswered)
        let error = #expect(throws: SlurmError.self) { try slurm.run(attempts: 100, patience: 1) }
        guard case .unreachable("sbatch", let output, let seconds) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(output.contains("Socket timed out") && (1...10).contains(seconds), "\(seconds) s: \(output)")
    }

    @Test func jobsThatVanishCountAlsoThoseOfWhichOnlyTheQueueTold() throws {
        let slurm = try FakeSlurm(.vanishes, .unanswered, .takenUnanswered, .succeeds)
        let error = #expect(throws: SlurmError.self) { try slurm.run(attempts: 2) }
        guard case .tasksLost(let lost) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lost.attempts == 2 && lost.step == "number" && lost.shards == [], "\(lost)")
        #expect(slurm.submissions == 3)
        #expect(
            slurm.told.filter { $0.contains("submitted again") } == [
                "number: its end without a result, submitted again"
            ], "\(slurm.told)")
    }

    @Test func whatJobsNeededIsForgottenWhenTheStepIsDoneAlsoByALaterRun() throws {
        let slurm = try FakeSlurm(.vanishes, .succeeds)
        #expect(throws: SlurmError.self) { try slurm.run(attempts: 1) }
        #expect(try slurm.jobFolders.count == 1)
        // A job of another submitter, while none looks on.
        try slurm.finishSteps()
        try slurm.run()
        #expect(try slurm.jobFolders == [])
        #expect(slurm.submissions == 1)
    }
}
