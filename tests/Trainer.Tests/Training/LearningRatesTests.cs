using Graft.Contract;
using Graft.Trainer.Training;

namespace Graft.Trainer.Tests.Training;

public class LearningRatesTests
{
    public static TheoryData<Schedule, double[]> Rates => new()
    {
        { new Schedule { Constant = new Warmup() }, [1, 1, 1, 1, 1, 1, 1, 1] },
        { new Schedule { Constant = new Warmup { WarmupSteps = 4 } }, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1] },
        { new Schedule { Linear = new Warmup { WarmupSteps = 4 } }, [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25] },
        { new Schedule { Linear = new Warmup() }, [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125] },
        { new Schedule { Cosine = new Warmup { WarmupFraction = 0.5 } },
            [0.25, 0.5, 0.75, 1, 1, 0.8535533905932737, 0.5, 0.14644660940672627] },
    };

    [Theory]
    [MemberData(nameof(Rates))]
    public void Rates_rise_and_fall_as_the_schedule_says(Schedule schedule, double[] expected)
    {
        var rates = new LearningRates(schedule, peak: 2, steps: 8);

        for (var step = 0; step < 8; step++) Assert.Equal(2 * expected[step], rates.At(step), 1e-12);
    }
}
