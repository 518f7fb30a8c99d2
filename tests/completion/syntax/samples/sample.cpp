// A small event loop. It isn't "production" code.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace loop::detail {

constexpr auto million = 1'000'000u;
constexpr char quote = '\'', back = '\\';
const std::string raw = R"(raw "text" with \ and 'quotes' // no comment)";
const std::string tagged = R"sql(
    SELECT ")" FROM t -- )" not yet
)sql";
const wchar_t *wide = L"wide \"text\"";
const char8_t *utf = u8"é";

/** An event; `don't` copy it. */
template <typename T, std::size_t N = 4>
class Event {
public:
    using Handler = std::function<void(const T &, int)>;

    explicit Event(std::string name) : name_{std::move(name)}, handlers_{} {}
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;
    virtual ~Event() noexcept = default;

    Event &operator+=(Handler handler)
    {
        handlers_.push_back(std::move(handler));
        return *this;
    }

    template <class... Args>
    void emit(Args &&...args) const
    {
        for (const auto &handler : handlers_) {
            handler(T{std::forward<Args>(args)...}, 1);
        }
    }

    [[nodiscard]] bool empty() const { return handlers_.empty(); }

private:
    std::string name_;
    std::vector<Handler> handlers_;
    static inline int count_ = 0;
};

struct Point {
    double x = 0.5, y{1.5e-3};
    auto operator<=>(const Point &) const = default;
};

enum class Level : unsigned char { low = 1, high = 0xFF };

union Bits {
    float f;
    unsigned u;
};

inline double operator""_km(long double v) { return static_cast<double>(v) * 1000; }

template <typename T>
concept Addable = requires(T a, T b) { a + b; };

template <Addable T>
T sum(const std::vector<T> &values)
{
    T total{};
    for (std::size_t i = 0; i < values.size(); ++i) total = total + values[i];
    return total;
}

static std::map<std::string, int> count(const std::vector<std::string> &words)
{
    std::map<std::string, int> out;
    std::for_each(words.begin(), words.end(), [&out](const std::string &word) mutable {
        if (auto it = out.find(word); it != out.end()) {
            it->second++;
        } else {
            out.emplace(word, 1);
        }
    });
    return out;
}

} // namespace loop::detail

#define LOG(level, ...) \
    do { std::printf("[%s] " __VA_ARGS__, #level); } while (false)

int main(int argc, char *argv[]) try {
    using namespace loop::detail;
    Event<Point> moved{"moved"};
    int seen = 0;
    moved += [&](const Point &p, int n) { seen += n + (p.x > 1 ? 1 : 0); };
    moved.emit(1.0, 2.0);
    std::unique_ptr<int[]> numbers(new int[3]{1, 2, 3});
    auto words = count({"it's", "a \"b\"", "c\\"});
    switch (argc) {
    case 0:
        return quote;
    case 1: {
        const auto ratio = 10 / 2 / sum<int>({1, 2});
        return ratio >> 1;
    }
    default:
        throw std::runtime_error(std::string("bad: ") + argv[0]);
    }
    /* done, isn't it? */
    return seen < million && words.size() > 0 ? numbers[0] : -1;
} catch (const std::exception &e) {
    LOG(error, "%s\n", e.what());
    return 1;
}
