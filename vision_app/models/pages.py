"""A short page about each network: the idea, the formula, what it is used for, and where it was published."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """What a person reads about a network; all else on its page is counted from the network itself.

    Args:
        idea: what is special about it.
        formula: of that, in LaTeX.
        meaning: the formula in words.
        use: where it is used in practice, and what to expect of it here.
        link: address of the publication that its row names.
    """

    idea: str
    formula: str
    meaning: str
    use: str
    link: str


def arxiv(number: str) -> str:
    """Return the address of a paper."""
    return f"https://arxiv.org/abs/{number}"


PAGES: dict[str, Page] = {
    "simple_cnn": Page(
        idea="Two layers of small filters slide over the picture and answer where they find their pattern: first edges, "
        "then corners and strokes. Pooling keeps the strongest answer of each small square, and two dense layers decide.",
        formula=r"y_{i,j,k} = \max\Big(0,\; b_k + \sum_{a,b,c} w_{a,b,c,k}\; x_{i+a,\,j+b,\,c}\Big)",
        meaning="Filter k multiplies a 3 by 3 piece of the picture x with its weights w and adds them up; what is below zero "
        "becomes zero (ReLU). The same weights are used at every place (i, j).",
        use="The first network of nearly every course. On handwritten digits it makes fewer than one error in a hundred "
        "after minutes on a laptop; for photos it is too shallow.",
        link="https://keras.io/examples/vision/mnist_convnet/",
    ),
    "lenet5": Page(
        idea="The pattern that networks for pictures still follow: convolution, pooling, convolution, pooling, then dense "
        "layers. It showed that filters can be learned from examples instead of being designed by hand.",
        formula=r"\begin{gathered} s_{i,j} = \tfrac14 \sum_{a=0}^{1} \sum_{b=0}^{1} x_{2i+a,\,2j+b} \\ y = \tanh(Wx + b) \end{gathered}",
        meaning="Pooling takes the mean of each 2 by 2 square, so that it matters less where exactly something is. Every "
        "layer's answer is squeezed between -1 and 1 by tanh.",
        use="It read the amounts on bank cheques in the 1990s. Today it is a network to learn from: small enough to follow "
        "every number. The paper's partial connections and its distance-based end are full connections and a softmax here.",
        link="https://doi.org/10.1109/5.726791",
    ),
    "custom_cnn": Page(
        idea="More layers than the simple network, held together by batch normalisation: each layer's answers are brought to "
        "mean 0 and deviation 1 before they go on, so that deep networks learn fast. Dropout keeps it from learning by heart.",
        formula=r"\hat{x} = \gamma\, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",
        meaning="Mean μ and variance σ² are those of the batch while it learns, and running means afterwards; γ and β are "
        "learned, so that the network can take the change back where it does not help.",
        use="Batch normalisation is part of most networks for pictures since 2015. This one is a good second try on digits "
        "and clothes when the simple network has reached its limit.",
        link=arxiv("1502.03167"),
    ),
    "cifar_cnn": Page(
        idea="Pairs of 3 by 3 convolutions, each pair with twice the filters of the one before and half the picture: the plan "
        "of the VGG networks, small enough for 32 by 32 pixels. Dropout grows with depth.",
        formula=r"y_i = \frac{m_i}{1-p}\, x_i, \quad m_i \sim \mathrm{Bernoulli}(1-p)",
        meaning="While it learns, dropout switches each value off with probability p and enlarges the others to make up for "
        "it; so no value can rely on another one being there. When it answers, nothing is switched off.",
        use="The usual first network for small colour photos such as CIFAR-10. Residual networks get further with the same "
        "time, but here every step is plain to see.",
        link=arxiv("1409.1556"),
    ),
    "resnet_small": Page(
        idea="A block does not have to learn a new picture, only what to change about the one it gets: the input goes around "
        "it by a shortcut and is added again. Gradients take the same way back, so that many blocks can be stacked.",
        formula=r"\begin{gathered} y = \mathrm{ReLU}\big(F(x) + x\big) \\ F(x) = W_2 * \mathrm{ReLU}(W_1 * x) \end{gathered}",
        meaning="F is two convolutions (*) with batch normalisation. If nothing needs to be changed, F only has to become zero, "
        "which is easier to learn than to copy x.",
        use="An all-rounder for small pictures: more accurate than a plain network of its size. `blocks_per_group` makes it deeper.",
        link=arxiv("1512.03385"),
    ),
    "resnet18": Page(
        idea="The smallest network of the paper that won the ImageNet contest of 2015: eight residual blocks, each of which "
        "only learns what to change about its input.",
        formula=r"\begin{gathered} y = \mathrm{ReLU}\big(F(x) + x\big) \\ F(x) = W_2 * \mathrm{ReLU}(W_1 * x) \end{gathered}",
        meaning="F is two 3 by 3 convolutions (*) with batch normalisation, and x goes around them. Where the picture is halved, "
        "a 1 by 1 convolution brings x to the new size.",
        use="The standard network of research on small pictures and of quick experiments; the first choice where a graphics card "
        "is there and no pretrained weights are wanted.",
        link=arxiv("1512.03385"),
    ),
    "resnet50": Page(
        idea="Residual blocks with a bottleneck: a 1 by 1 convolution reduces the channels, a 3 by 3 convolution works on few "
        "of them, and another 1 by 1 brings them back. So fifty layers cost hardly more than thirty-four plain ones.",
        formula=r"y = \mathrm{ReLU}\big(W_3^{1\times1} * \sigma(W_2^{3\times3} * \sigma(W_1^{1\times1} * x)) + x\big)",
        meaning="Three convolutions (*) with batch normalisation and σ = ReLU between them; x goes around all three and is added "
        "to what they found.",
        use="The network that others are measured against, and the part that sees in many systems that find and outline objects. "
        "Started from ImageNet, it learns from few photos.",
        link=arxiv("1512.03385"),
    ),
    "fast_cnn": Page(
        idea="Everything in it is there to save training time: a first layer that is computed from the data instead of learned, "
        "and few, wide layers after it. The record runs on CIFAR-10 are made with networks of this kind.",
        formula=r"\begin{gathered} \Sigma = E \Lambda E^{\top} \\ W = \pm\,(\Lambda + \varepsilon)^{-1/2}\, E^{\top} \end{gathered}",
        meaning="Σ says how the pixels of 2 by 2 patches go together; E are its directions and Λ their variances. Filters W make "
        "the answers uncorrelated and equally strong, so that learning can start at once. They are kept as they are.",
        use="The best accuracy for its training time here, on digits, clothes and small photos: most networks that ship with "
        "this app are of this kind. In research it serves experiments that need thousands of runs.",
        link=arxiv("2404.00498"),
    ),
    "mobilenet_v2": Page(
        idea="A convolution in two steps, first within each channel, then between channels at each place, which costs a fraction. "
        "Blocks are narrow at their ends and wide inside, and a shortcut joins the narrow ends.",
        formula=r"\frac{k^2 M + M N}{k^2 M N} = \frac{1}{N} + \frac{1}{k^2}",
        meaning="The cost of the two steps, compared with that of one k by k convolution from M to N channels: for k = 3 about a "
        "ninth.",
        use="Made for phones and cameras, where it sorts and finds things in live pictures. Started from ImageNet, it is the "
        "first choice here for few photos and no graphics card.",
        link=arxiv("1801.04381"),
    ),
    "inception_v1": Page(
        idea="How large is what should be found? Instead of deciding, each module looks in four ways at once, by 1 by 1 and by "
        "larger convolutions and by pooling, and joins what they saw. Cheap 1 by 1 convolutions first reduce the channels.",
        formula=r"\begin{gathered} y = \big[\, f_1(x),\, f_2(g_2(x)),\, f_3(g_3(x)),\, f_4(\mathrm{pool}(x)) \,\big] \\ "
        r"L = L_{\mathrm{end}} + 0.3\,(L_1 + L_2) \end{gathered}",
        meaning="The four branches are joined channel by channel. While it learns from scratch, two further classifiers in the "
        "middle add their losses L₁ and L₂, so that early layers get a strong signal; they are not part of the finished network.",
        use="GoogLeNet won the ImageNet contest of 2014 with a twelfth of the parameters of the winner of 2012, and "
        "DeepDream's pictures were made with it. As in torchvision, whose weights can be loaded, its 5 by 5 convolutions are 3 by 3.",
        link=arxiv("1409.4842"),
    ),
    "vgg16": Page(
        idea="Nothing but 3 by 3 convolutions and pooling, thirteen layers deep. Two of them in a row see 5 by 5 pixels, three see "
        "7 by 7, with fewer weights and more steps in between than one large filter.",
        formula=r"3 \cdot (3^2 C^2) = 27\, C^2 \;<\; 7^2 C^2 = 49\, C^2",
        meaning="Weights of three 3 by 3 layers with C channels against those of one 7 by 7 layer that sees as much.",
        use="Its features are used to judge how alike two pictures look to people, and to give a photo the style of a painting. "
        "Easy to follow, but heavy; newer networks are smaller and better.",
        link=arxiv("1409.1556"),
    ),
    "vgg19": Page(
        idea="VGG16 with three more convolutions. A network this deep without shortcuts or batch normalisation only learns from "
        "scratch if its weights start at the right size.",
        formula=r"w \sim \mathcal{N}\!\Big(0,\; \frac{2}{n}\Big)",
        meaning="Weights start with variance 2 / n, n being how many inputs a filter has: then the answers neither fade nor grow "
        "from layer to layer.",
        use="Style transfer and comparisons of pictures by their features. The heaviest network here: from scratch it wants a "
        "graphics card.",
        link=arxiv("1409.1556"),
    ),
    "efficientnet_b0": Page(
        idea="A network found by a search for accuracy at low cost, of MobileNet's blocks with an addition: each block also "
        "weighs its channels by how much they matter for this picture. Larger versions grow in all directions together.",
        formula=r"\begin{gathered} d = \alpha^{\phi}, \quad w = \beta^{\phi}, \quad r = \gamma^{\phi} \\ "
        r"\alpha \beta^2 \gamma^2 \approx 2 \end{gathered}",
        meaning="Depth d, width w and resolution r grow together with one number φ, so that each step of φ doubles the cost. B0 is "
        "φ = 0.",
        use="A common choice when a pretrained network has to be accurate and still small. It has many thin layers, so that it is "
        "slower on a processor than its size suggests.",
        link=arxiv("1905.11946"),
    ),
    "densenet121": Page(
        idea="Every layer sees the answers of all layers before it in its block, and adds a few channels of its own. Nothing has "
        "to be learned twice, so that each layer can be thin.",
        formula=r"x_{\ell} = H_{\ell}\big([\,x_0, x_1, \dots, x_{\ell-1}\,]\big)",
        meaning="Layer ℓ gets all earlier maps, joined channel by channel; H is batch normalisation, ReLU and convolution.",
        use="Well known from medicine: CheXNet, which reads chest X-rays, is a DenseNet-121. Few parameters for its accuracy, but "
        "it needs much memory while it learns.",
        link=arxiv("1608.06993"),
    ),
}
