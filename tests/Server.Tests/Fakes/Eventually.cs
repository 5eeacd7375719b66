namespace Graft.Server.Tests.Fakes;

internal static class Eventually
{
    /// <summary>Asks again and again until it holds; fails after 20 s.</summary>
    public static async Task IsTrue(Func<Task<bool>> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, "It did not come to hold within 20 s.");
            await Task.Delay(10);
        }
    }
}
