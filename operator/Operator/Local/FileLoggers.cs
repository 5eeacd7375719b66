using System.Globalization;

namespace Graft.Operator.Local;

/// <summary>
/// Log lines of the cluster and the controllers in one file, so that the terminal is free for what a person wants to see.
/// </summary>
internal sealed class FileLoggers(string path, TimeProvider time) : ILoggerProvider
{
    private readonly TextWriter _file = TextWriter.Synchronized(new StreamWriter(path, append: false) { AutoFlush = true });

    /// <summary>This file, without the web server's line for every request.</summary>
    public void Configure(ILoggingBuilder logging, LogLevel level) =>
        logging.AddProvider(this).SetMinimumLevel(level).AddFilter("Microsoft", level < LogLevel.Information ? level : LogLevel.Warning);

    public ILogger CreateLogger(string categoryName) => new Logger(_file, time, categoryName);

    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException)
        {
            // What was still to be written has no place.
        }
    }

    private sealed class Logger(TextWriter file, TimeProvider time, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var now = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            var error = exception is null ? "" : $"\n{exception}";
            try
            {
                file.WriteLine($"{now} {logLevel,-11} {category}: {formatter(state, exception)}{error}");
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException)
            {
                // The last words of something that ends after the file; or the disk is full, and what is at work here goes on
                // without being written down.
            }
        }
    }
}
